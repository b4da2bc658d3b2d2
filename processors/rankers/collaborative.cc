#include "processors/rankers/collaborative.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kNamedParts = 3;

struct Source {
  state::ItemIndex item = state::kNoItem;
  std::vector<Neighbour> row;
};

// The person's last items in the catalog or not, newest first, with copies of their rows.
std::vector<Source> sources_of(const KnownPerson& known, const ReadState& state) {
  std::vector<Source> out;
  const auto& sequence = known.view.person->sequence;
  for (auto at = sequence.rbegin();
       at != sequence.rend() && out.size() < state.options.similarity_sources; ++at) {
    Source source{known.index_of(*at), {}};
    if (source.item == state::kNoItem) continue;
    state.cooccurrence->row(source.item, source.row);
    out.push_back(std::move(source));
  }
  return out;
}

// Sums of similarity, dense by item.
std::vector<double> scores_of(const std::vector<Source>& sources, const ReadState& state) {
  std::vector<double> scores(state.items->size());
  const double shrink = state.options.similarity_shrink;
  for (const Source& source : sources) {
    const std::uint32_t people = state.cooccurrence->people(source.item);
    for (const Neighbour& neighbour : source.row) {
      if (neighbour.item >= scores.size()) continue;
      scores[neighbour.item] +=
          similarity(neighbour.count, people, state.cooccurrence->people(neighbour.item), shrink);
    }
  }
  return scores;
}

// The `limit` best allowed items of positive score.
template <class Allowed>
std::vector<Scored> best_of(const std::vector<double>& scores, std::size_t limit,
                            const state::CatalogView& catalog, Allowed&& allowed) {
  Best best(limit, catalog, allowed);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > 0) best.offer(static_cast<state::ItemIndex>(i), scores[i]);
  }
  return std::move(best).take();
}

// The strongest sources by name, the rest together: sums of multiples of 2^-32 are exact in any
// order.
void explain(Scored& scored, const std::vector<Source>& sources, const ReadState& state) {
  std::vector<Part> all;
  const std::uint32_t people = state.cooccurrence->people(scored.item);
  for (const Source& source : sources) {
    const auto found =
        std::find_if(source.row.begin(), source.row.end(),
                     [&](const Neighbour& neighbour) { return neighbour.item == scored.item; });
    if (found == source.row.end()) continue;
    all.push_back({std::string(state.items->name(source.item)),
                   similarity(found->count, state.cooccurrence->people(source.item), people,
                              state.options.similarity_shrink)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Part& a, const Part& b) { return a.value > b.value; });
  double others = scored.score;
  for (std::size_t i = 0; i < all.size() && i < kNamedParts; ++i) others -= all[i].value;
  if (all.size() > kNamedParts) all.resize(kNamedParts);
  // Whatever was counted since the score was taken lands here, too: the parts still add up.
  if (others != 0) all.push_back({"others", others});
  scored.parts = std::move(all);
}

NumberSet items_in(const std::vector<Scored>& items, std::size_t limit) {
  NumberSet out(limit);
  for (const Scored& scored : items) out.insert(scored.item);
  return out;
}

}  // namespace

double similarity(std::uint32_t both, std::uint32_t people_i, std::uint32_t people_j,
                  double shrink) {
  const double all = std::sqrt(static_cast<double>(people_i) * static_cast<double>(people_j));
  const double below = all + shrink;
  return below > 0 ? round_to_exact(static_cast<double>(both) / below) : 0;
}

Ranked rank_collaborative(const Query& query, const ReadState& state) {
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0) return {{}, "popular", "popular"};
  const Who who = who_asks(state);
  const NumberSet had = who.known != nullptr ? dealt_with(*who.known) : NumberSet();
  std::vector<Scored> found;
  if (who.known != nullptr && state.cooccurrence != nullptr) {
    const std::vector<Source> sources = sources_of(*who.known, state);
    found = best_of(scores_of(sources, state), query.limit, *state.catalog,
                    [&](state::ItemIndex item) {
                      return !had.contains(item) && matcher.allows(item);
                    });
    if (query.explain) {
      for (Scored& scored : found) explain(scored, sources, state);
    }
  }
  return fill_up(std::move(found), "collaborative", who, had, query, matcher, state);
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
    const std::vector<Source> sources{{*index, state.cooccurrence->row(*index)}};
    out.items = best_of(scores_of(sources, state), query.limit, *state.catalog, allowed);
    for (Scored& scored : out.items) {
      if (query.explain) scored.parts = {{"similarity", scored.score}};
    }
  }
  if (!out.items.empty()) out.level = out.algorithm = "similar";
  NumberSet taken = items_in(out.items, query.limit);
  for (const std::uint32_t category : item->categories) {
    fill_from(state.lists->list(Metric::kPopular, matcher.kind(), category), "popular", query,
              matcher, taken, out.items);
  }
  fill_from(state.lists->list(Metric::kPopular, matcher.kind(), matcher.category()), "popular",
            query, matcher, taken, out.items);
  return out;
}

}  // namespace millrace::processors
