#include "processors/experiments/report.h"

#include <algorithm>
#include <utility>

namespace millrace::processors {
namespace {

constexpr std::uint32_t kFirst = 0;

bool enough_people(const Experiment& experiment, const std::vector<state::ArmSums>& arms) {
  const bool together = experiment.kind == ExperimentKind::kInterleaving;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const bool counts = together || experiment.variants[i].share > 0;
    if (counts && arms[i].people < experiment.minimum_sample_size) return false;
  }
  return true;
}

// The variant that is better than the first, the first when all others are worse, or nothing.
std::optional<std::uint32_t> winner_of(const Report& report, SuccessMetric deciding, double alpha) {
  std::optional<std::uint32_t> best;
  double most = 0;
  bool all_worse = true;
  for (const auto& one : report.comparisons) {
    if (one.metric != deciding) continue;
    const bool sure = one.difference.always.p < alpha;
    if (!sure || one.difference.value > 0) all_worse = false;
    if (sure && one.difference.value > most) {
      most = one.difference.value;
      best = one.variant;
    }
  }
  if (!best && all_worse) best = kFirst;
  return best;
}

std::string quoted(const std::string& name) { return "'" + name + "'"; }

std::string summary_of(const Experiment& experiment, const Report& report) {
  switch (report.verdict) {
    case Verdict::kTooFewPeople:
      return "too few people yet: each variant needs " +
             std::to_string(experiment.minimum_sample_size);
    case Verdict::kSampleRatioMismatch:
      return "people are not spread over the variants as the traffic allocation says: find out why "
             "before believing any difference";
    case Verdict::kUndecided: return "no difference is certain yet";
    case Verdict::kDecided: break;
  }
  const auto& winner = experiment.variants[*report.winner].name;
  if (report.preference) {
    return "people prefer " + quoted(winner) + " to " +
           quoted(experiment.variants[1 - *report.winner].name);
  }
  const auto& metric = experiment.metrics.front();
  if (*report.winner == kFirst) {
    return quoted(winner) + " is better than all others by " + metric;
  }
  return quoted(winner) + " is better than " + quoted(experiment.variants[kFirst].name) + " by " +
         metric;
}

void prefer(const Experiment& experiment, Report& report) {
  report.preference =
      preference(report.arms.front(), static_cast<double>(experiment.minimum_sample_size));
  if (report.verdict == Verdict::kUndecided && report.preference->always.p < kAlpha) {
    report.winner = report.preference->second_share > 0.5 ? 1 : 0;
  }
}

void compare(const Experiment& experiment, Report& report) {
  const double alpha = kAlpha / static_cast<double>(experiment.variants.size() - 1);
  const double best_at = 2 * static_cast<double>(experiment.minimum_sample_size);
  for (const auto& name : experiment.metrics) {
    const auto metric = success_metric(name);
    if (!metric) continue;
    for (std::uint32_t i = 1; i < experiment.variants.size(); ++i) {
      report.comparisons.push_back(
          {i, *metric, difference(*metric, report.arms[kFirst], report.arms[i], best_at, alpha)});
    }
  }
  const auto deciding = success_metric(experiment.metrics.front());
  if (report.verdict == Verdict::kUndecided && deciding) {
    report.winner = winner_of(report, *deciding, alpha);
  }
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTooFewPeople: return "too_few_people";
    case Verdict::kSampleRatioMismatch: return "sample_ratio_mismatch";
    case Verdict::kUndecided: return "undecided";
    case Verdict::kDecided: return "decided";
  }
  return "undecided";
}

Report report_of(const Experiment& experiment, std::vector<state::ArmSums> sums) {
  const bool together = experiment.kind == ExperimentKind::kInterleaving;
  Report report;
  report.arms = std::move(sums);
  report.arms.resize(together ? 1 : experiment.variants.size());
  if (!together) report.sample_ratio_p = sample_ratio_p(experiment.variants, report.arms);
  if (enough_people(experiment, report.arms)) {
    report.verdict =
        report.sample_ratio_p < kMismatch ? Verdict::kSampleRatioMismatch : Verdict::kUndecided;
  }
  if (together) {
    prefer(experiment, report);
  } else {
    compare(experiment, report);
  }
  if (report.winner) report.verdict = Verdict::kDecided;
  report.summary = summary_of(experiment, report);
  return report;
}

}  // namespace millrace::processors
