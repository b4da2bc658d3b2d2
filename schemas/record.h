#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "schemas/event.h"
#include "schemas/interaction_view.h"

namespace millrace {

// The stored form (protobuf, schemas/proto/records.proto) of what the partitions' logs hold, and
// back. Decoding tolerates unknown fields of newer writers and answers kCorrupt for bytes that are
// no record.
std::string encode(const LogRecord& record);
Result<LogRecord> decode_log_record(std::string_view bytes);
// The same without copies: an interaction's text lies in `bytes`.
using LogRecordView = std::variant<InteractionView, Ruleset, EraseUser, Impression, ExpireTracked>;
Result<LogRecordView> view_log_record(std::string_view bytes);

}  // namespace millrace
