#pragma once
#include <cstdint>
#include <string>

#include "processors/rankers/ranker.h"
#include "schemas/interaction_table.h"
#include "schemas/json_writer.h"

namespace millrace::serving {

// How what is known about a person looks in answers. All functions are pure.

// The whole body of a profile; of `read.user`, of whom nothing may be known.
std::string profile_body(const std::string& user, const processors::ReadState& read,
                         const InteractionTable& table);

// One event as an object. `item` is null while the catalog does not have it.
void append_history_item(JsonWriter& out, const state::HistoryItem& entry, const std::string& type,
                         std::uint16_t partition, const state::CatalogItem* item);

}  // namespace millrace::serving
