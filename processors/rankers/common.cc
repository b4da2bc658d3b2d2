#include "processors/rankers/common.h"

#include <algorithm>
#include <utility>

#include "processors/views/positives.h"

namespace millrace::processors {
state::ItemCounts ReadState::counts(state::ItemIndex item) const {
  state::ItemCounts sum;
  for (const state::ItemCells* column : cells) column->add_to(sum, item);
  return sum;
}

std::uint64_t ReadState::sold(state::ItemIndex item) const {
  std::uint64_t sum = 0;
  for (const state::ItemCells* column : cells) sum += column->sold(item);
  return sum;
}

std::optional<std::uint64_t> ReadState::left(const state::CatalogItem& item) const {
  if (!item.stock) return std::nullopt;
  const auto all = sold(item.index);
  const auto since = all - std::min(all, item.stock->sold_before);
  return item.stock->quantity - std::min(item.stock->quantity, since);
}

Who who_asks(const ReadState& state) {
  if (state.user.view.person) return {&state.user, "personal"};
  if (state.session.view.person) return {&state.session, "session"};
  return {};
}

NumberSet dealt_with(const KnownPerson& known) {
  NumberSet out(64);
  known.view.person->for_each_row([&](const state::ItemRow& row) {
    if (!dealt_with(row)) return;
    if (const auto item = known.index_of(row.item); item != state::kNoItem) out.insert(item);
  });
  return out;
}

void fill_from(const RankedList& list, const char* part, const Query& query, const Matcher& matcher,
               NumberSet& taken, std::vector<Scored>& items) {
  if (items.size() >= query.limit) return;
  list.for_each([&](const RankedEntry& entry) {
    if (!taken.contains(entry.item) && matcher.allows(entry.item)) {
      taken.insert(entry.item);
      items.push_back({entry.item, 0, {}});
      if (query.explain) items.back().parts = {{part, 0}};
    }
    return items.size() < query.limit;
  });
}

Ranked fill_up(std::vector<Scored> found, std::string_view algorithm, const Who& who,
               const NumberSet& had, const Query& query, const Matcher& matcher) {
  Ranked out{std::move(found), "popular", "popular"};
  NumberSet taken = had;
  for (const Scored& scored : out.items) taken.insert(scored.item);
  const bool own = !out.items.empty();
  fill_from(matcher.list(Metric::kTrending), "trending", query, matcher, taken, out.items);
  if (own) {
    out.level = who.level;
    out.algorithm = algorithm;
  } else if (!out.items.empty()) {
    out.level = out.algorithm = "trending";
  }
  fill_from(matcher.list(Metric::kPopular), "popular", query, matcher, taken, out.items);
  return out;
}

RankedEntry ListWalk::next() {
  std::size_t best = 0;
  for (std::size_t i = 1; i < cursors_.size(); ++i) {
    if (order_(*cursors_[i], *cursors_[best])) best = i;
  }
  const RankedEntry entry = *cursors_[best];
  cursors_[best].next();
  if (cursors_[best].done()) {
    cursors_.erase(cursors_.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return entry;
}

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

std::uint64_t text_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

Scored score_popular(state::ItemIndex item, const Query& query, const ReadState& state) {
  const state::ItemCounts counts = state.counts(item);
  const double rating = counts.average_rating() * 0.7;
  const double watched = static_cast<double>(counts.watchers) * 0.3;
  Scored out{item, rating + watched, {}};
  if (query.explain) out.parts = {{"rating", rating}, {"watched", watched}};
  return out;
}

void sort_by_score(std::vector<Scored>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
}

}  // namespace millrace::processors
