#include "serving/surfaces/impressions.h"

#include <utility>

#include "schemas/account.h"

namespace millrace::serving {

Impression impression_of(const std::string& id, const Shown& shown) {
  const auto& query = shown.query;
  Impression impression{id, query.user, shown.ranked.algorithm, query.seed, query.now, {}};
  impression.items.reserve(shown.to - shown.from);
  impression.scores.reserve(shown.to - shown.from);
  for (auto at = shown.from; at < shown.to; ++at) {
    const auto& scored = shown.ranked.items[at];
    impression.items.emplace_back(std::string(shown.read.items->name(scored.item)));
    impression.scores.push_back(static_cast<float>(scored.score));
  }
  return impression;
}

void log_impression(const Request& request, const Deps& deps, const std::string& id,
                    const Shown& shown) {
  const auto& user = shown.query.user;
  const bool known = shown.read.user.view.person != nullptr || request.caller.is(user.value);
  if (user.value.empty() || !known || !deps.impressions->admits()) return;
  deps.impressions->offer(impression_of(id, shown));
}

}  // namespace millrace::serving
