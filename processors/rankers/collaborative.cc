#include "processors/rankers/collaborative.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "processors/rankers/common.h"
#include "processors/rankers/taste.h"

namespace millrace::processors {
namespace {

struct Source {
  state::ItemIndex item = state::kNoItem;
  double weight = 1;
  std::shared_ptr<const std::vector<Neighbour>> row;
};

// The person's last items, newest first, then what they are against, with their rows.
std::vector<Source> sources_of(const Taste& taste, const ReadState& state) {
  std::vector<Source> out;
  const auto& options = state.options;
  const auto last = std::min(taste.sequence.size(), options.similarity_sources);
  for (std::size_t age = 0; age < last; ++age) {
    const auto& [item, order, positive] = taste.sequence[age];
    out.push_back({item,
                   profile_weight(age, options.similarity_recency, taste.moment, options) *
                       (positive ? 1 : options.similarity_low),
                   state.cooccurrence->strongest(item, options.similarity_shrink)});
  }
  const auto against = std::min(taste.negatives.size(), options.similarity_sources);
  for (std::size_t i = 0; i < against; ++i) {
    const auto& negative = taste.negatives[i];
    out.push_back({negative.item, negative.weight,
                   state.cooccurrence->strongest(negative.item, options.similarity_shrink)});
  }
  return out;
}

// Sums of similarity, dense by item.
std::vector<double> scores_of(const std::vector<Source>& sources, const ReadState& state) {
  std::vector<double> scores(state.items->size());
  const double shrink = state.options.similarity_shrink;
  for (const Source& source : sources) {
    const std::uint32_t people = state.cooccurrence->people(source.item);
    for (const Neighbour& neighbour : *source.row) {
      if (neighbour.item >= scores.size()) continue;
      scores[neighbour.item] += round_to_exact(
          source.weight *
          similarity(neighbour.count, people, state.cooccurrence->people(neighbour.item), shrink));
    }
  }
  return scores;
}

void explain(Scored& scored, const std::vector<Source>& sources, const ReadState& state) {
  std::vector<Contribution> all;
  const std::uint32_t people = state.cooccurrence->people(scored.item);
  for (const Source& source : sources) {
    const auto found =
        std::find_if(source.row->begin(), source.row->end(),
                     [&](const Neighbour& neighbour) { return neighbour.item == scored.item; });
    if (found == source.row->end()) continue;
    all.push_back({source.item,
                   round_to_exact(source.weight *
                                  similarity(found->count, state.cooccurrence->people(source.item),
                                             people, state.options.similarity_shrink))});
  }
  explain_sources(scored, std::move(all), state);
}

}  // namespace

double similarity(std::uint32_t both, std::uint32_t people_i, std::uint32_t people_j,
                  double shrink) {
  const double all = std::sqrt(static_cast<double>(people_i) * static_cast<double>(people_j));
  const double below = all + shrink;
  return below > 0 ? round_to_exact(static_cast<double>(both) / below) : 0;
}

Ranked rank_collaborative(const Query& query, const ReadState& state) {
  const Personal person(query, state);
  std::vector<Scored> items;
  if (!person.nothing() && state.cooccurrence != nullptr) {
    const std::vector<Source> sources = sources_of(person.taste(), state);
    items = best_of(scores_of(sources, state), query.limit, *state.catalog,
                    [&](state::ItemIndex item) { return person.allows(item); });
    for (Scored& scored : items) {
      if (query.explain) explain(scored, sources, state);
    }
  }
  return person.answer(std::move(items), "collaborative");
}

Ranked rank_similar(const Query& asked, const ReadState& state, const ItemId& id) {
  Ranked out{{}, "popular", "popular"};
  const auto index = state.items->find(id.value);
  const state::CatalogItem* item = index ? state.catalog->find(*index) : nullptr;
  if (item == nullptr || asked.limit == 0) return out;
  Query query = asked;
  query.exclude.push_back(id);
  if (query.kind.empty() && query.filter.kind.empty()) query.kind = item->item.kind;
  const Matcher matcher(query, state);
  if (matcher.nothing()) return out;
  const auto allowed = [&](state::ItemIndex other) { return matcher.allows(other); };
  if (state.cooccurrence != nullptr) {
    const std::vector<Source> sources{
        {*index, 1, state.cooccurrence->strongest(*index, state.options.similarity_shrink)}};
    out.items = best_of(scores_of(sources, state), query.limit, *state.catalog, allowed);
    for (Scored& scored : out.items) {
      if (query.explain) scored.parts = {{"similarity", scored.score}};
    }
  }
  if (!out.items.empty()) out.level = out.algorithm = "similar";
  NumberSet taken = items_in(out.items, query.limit);
  for (const std::uint32_t category : item->categories) {
    fill_from(matcher.list(Metric::kPopular, matcher.kind(), category), "popular", query, matcher,
              taken, out.items);
  }
  fill_from(matcher.list(Metric::kPopular), "popular", query, matcher, taken, out.items);
  return out;
}

}  // namespace millrace::processors
