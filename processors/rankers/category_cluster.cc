#include "processors/rankers/category_cluster.h"

#include <string>
#include <utility>
#include <vector>

#include "processors/rankers/common.h"
#include "processors/rankers/neighbours.h"

namespace millrace::processors {
namespace {

// The other categories of the same cluster that some item of the kind has now.
std::vector<std::uint32_t> beside(const std::string& category, std::uint32_t kind,
                                  const ReadState& state, const CategoryModel& model) {
  std::vector<std::uint32_t> out;
  const auto cluster = model.cluster_of(category);
  const auto& names = state.names->categories;
  for (std::uint32_t i = 0; cluster && i < names.size(); ++i) {
    if (names.name(i) == category || state.lists->list(Metric::kRecent, kind, i).empty()) continue;
    if (model.cluster_of(names.name(i)) == cluster) out.push_back(i);
  }
  return out;
}

}  // namespace

Ranked rank_category(const Query& asked, const ReadState& state, const std::string& category,
                     const CategoryModel* model) {
  Ranked out{{}, "category", "category"};
  Query query = asked;
  if (query.kind.empty() && query.filter.kind.empty()) query.kind = kProductKind;
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0 || state.matrix == nullptr) return out;
  if (const auto same = state.names->categories.find(category)) {
    out.items = most_dealt_with({&*same, 1}, query.limit, matcher, state);
  }
  if (model == nullptr || out.items.size() == query.limit) return out;
  NumberSet taken(query.limit);
  for (const Scored& scored : out.items) taken.insert(scored.item);
  const auto others = beside(category, matcher.kind(), state, *model);
  for (Scored& scored : most_dealt_with(others, 2 * query.limit, matcher, state)) {
    if (out.items.size() == query.limit) break;
    if (taken.insert(scored.item)) out.items.push_back(std::move(scored));
  }
  return out;
}

}  // namespace millrace::processors
