#pragma once
#include <functional>
#include <string_view>

#include "processors/rankers/ranker.h"
#include "schemas/json_writer.h"

namespace millrace::serving {

// How items look in answers. All functions are pure.

// 0 to 1, as the feed counts it: s/(s + s0), s the weight of the short half-life left at `now`.
double trend_score(const state::ItemCounts& counts, const processors::RankingOptions& options,
                   UnixMillis now);

// Members of an open object: the item, its counts and what follows from them.
void append_item_view(JsonWriter& out, const state::CatalogItem& item,
                      const processors::ReadState& read, UnixMillis now);

// An object: id, kind, title and score, with parts where they were asked for.
void append_ranked(JsonWriter& out, const state::CatalogItem& item,
                   const processors::Scored& scored, bool explain);

// The members `score` and `parts` alone.
void append_score(JsonWriter& out, const processors::Scored& scored, bool explain);

}  // namespace millrace::serving
