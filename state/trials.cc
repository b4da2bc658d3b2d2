#include "state/trials.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <utility>

namespace millrace::state {
namespace {

void add(std::uint64_t& sum, std::uint64_t by, int sign) {
  sum += static_cast<std::uint64_t>(sign) * by;
}

}  // namespace

std::uint64_t experiment_key(std::string_view id) { return XXH3_64bits(id.data(), id.size()); }

void contribute(ArmSums& sums, const Trial& trial, int sign) {
  const std::uint64_t exposures = trial.exposures, clicks = trial.clicks;
  const std::uint64_t conversions = trial.conversions;
  const std::uint64_t first = trial.credits[0], second = trial.credits[1];
  add(sums.people, 1, sign);
  add(sums.exposures, exposures, sign);
  add(sums.exposures_squared, exposures * exposures, sign);
  add(sums.clicks, clicks, sign);
  add(sums.clicks_squared, clicks * clicks, sign);
  add(sums.exposures_clicks, exposures * clicks, sign);
  add(sums.clickers, clicks > 0 ? 1 : 0, sign);
  add(sums.conversions, conversions, sign);
  add(sums.conversions_squared, conversions * conversions, sign);
  add(sums.converters, conversions > 0 ? 1 : 0, sign);
  add(sums.first_credits, first, sign);
  add(sums.second_credits, second, sign);
  add(sums.credits_squared, (first - second) * (first - second), sign);
  add(sums.prefer_first, first > second ? 1 : 0, sign);
  add(sums.prefer_second, second > first ? 1 : 0, sign);
}

void add(ArmSums& sums, const ArmSums& others) {
  for (const auto field :
       {&ArmSums::people, &ArmSums::exposures, &ArmSums::exposures_squared, &ArmSums::clicks,
        &ArmSums::clicks_squared, &ArmSums::exposures_clicks, &ArmSums::clickers,
        &ArmSums::conversions, &ArmSums::conversions_squared, &ArmSums::converters,
        &ArmSums::first_credits, &ArmSums::second_credits, &ArmSums::credits_squared,
        &ArmSums::prefer_first, &ArmSums::prefer_second}) {
    sums.*field += others.*field;
  }
}

void TrialSums::restore(std::uint64_t experiment, ExperimentSums sums) {
  sums_[experiment] = std::move(sums);
}

ArmSums& TrialSums::of(const Trial& trial) {
  auto& arms = sums_[trial.experiment];
  if (arms.size() <= trial.arm) arms.resize(trial.arm + std::size_t{1});
  dirty_.insert(trial.experiment);
  return arms[trial.arm];
}

void TrialSums::replace(const Trial* before, const Trial* after) {
  const std::lock_guard guard(lock_);
  if (before != nullptr) contribute(of(*before), *before, -1);
  if (after != nullptr) contribute(of(*after), *after, 1);
}

FrozenTrials TrialSums::freeze() {
  const std::lock_guard guard(lock_);
  FrozenTrials frozen;
  for (const auto experiment : std::exchange(dirty_, {})) {
    auto& sums = sums_[experiment];
    while (!sums.empty() && sums.back() == ArmSums()) sums.pop_back();
    frozen.experiments[experiment] = sums;
    if (sums.empty()) sums_.erase(experiment);
  }
  return frozen;
}

ExperimentSums TrialSums::read(std::uint64_t experiment) const {
  const std::lock_guard guard(lock_);
  const auto found = sums_.find(experiment);
  return found == sums_.end() ? ExperimentSums() : found->second;
}

}  // namespace millrace::state
