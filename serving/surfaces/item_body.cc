#include "serving/surfaces/item_body.h"

#include <algorithm>

#include "schemas/item_json.h"

namespace millrace::serving {

double trend_score(const state::ItemCounts& counts, const processors::RankingOptions& options,
                   UnixMillis now) {
  const double left = std::max(0.0, counts.trend[0].value(now, options.short_half_life_ms));
  return left <= 0 ? 0 : left / (left + options.feed_trend_s0);
}

void append_item_view(JsonWriter& out, const state::CatalogItem& item,
                      const processors::ReadState& read, UnixMillis now) {
  append_item_members(out, item.item);
  const auto counts = read.counts(item.index);
  out.member("views", counts.views);
  out.member("likes", counts.likes);
  out.member("shares", counts.shares);
  out.member("saves", counts.saves);
  out.member("plays", counts.plays);
  out.member("watch_count", counts.watchers);
  out.member("rating_count", counts.raters);
  out.key("average_rating");
  if (counts.raters == 0) {
    out.value(nullptr);
  } else {
    out.value(counts.average_rating());
  }
  out.member("popularity", counts.popularity());
  out.member("trend_score", trend_score(counts, read.options, now));
}

void append_score(JsonWriter& out, const processors::Scored& scored, bool explain) {
  out.member("score", scored.score);
  if (!explain) return;
  out.key("parts");
  out.begin_object();
  for (const auto& part : scored.parts) out.member(part.name, part.value);
  out.end_object();
}

void append_ranked(JsonWriter& out, const state::CatalogItem& item,
                   const processors::Scored& scored, bool explain) {
  out.begin_object();
  out.member("id", item.item.id.value);
  out.member("kind", item.item.kind);
  out.member("title", item.item.title);
  append_score(out, scored, explain);
  out.end_object();
}

}  // namespace millrace::serving
