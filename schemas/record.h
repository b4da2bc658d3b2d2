#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "schemas/event.h"
#include "schemas/interaction_view.h"
#include "schemas/item.h"

namespace millrace {

// The stored form (protobuf, schemas/proto/records.proto) of what the logs hold, and back. Decoding
// tolerates unknown fields of newer writers and answers kCorrupt for bytes that are no record.
std::string encode(const LogRecord& record);
std::string encode(const CatalogRecord& record);
Result<LogRecord> decode_log_record(std::string_view bytes);
// The same without copies: an interaction's text lies in `bytes`.
using LogRecordView = std::variant<InteractionView, Ruleset, EraseUser>;
Result<LogRecordView> view_log_record(std::string_view bytes);
Result<CatalogRecord> decode_catalog_record(std::string_view bytes);

// An item as the catalog's state keeps it.
std::string encode(const Item& item);
Result<Item> decode_item(std::string_view bytes);

}  // namespace millrace
