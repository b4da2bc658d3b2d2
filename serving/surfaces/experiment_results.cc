#include "serving/surfaces/experiment_results.h"

#include <algorithm>
#include <string>
#include <vector>

#include "processors/experiments/report.h"

namespace millrace::serving {
namespace {

using processors::Report;

std::vector<state::ArmSums> sums_of(const Deps& deps, const Experiment& experiment) {
  std::vector<state::ArmSums> all(experiment.variants.size());
  const auto key = state::experiment_key(experiment.id);
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    const auto sums = deps.engine->store(p).trials().read(key);
    for (std::size_t i = 0; i < std::min(sums.size(), all.size()); ++i) add(all[i], sums[i]);
  }
  return all;
}

void append_interval(JsonWriter& out, const processors::Interval& interval) {
  out.member("low", interval.low);
  out.member("high", interval.high);
}

// The members of a value that has a fixed and an always valid interval.
void append_tested(JsonWriter& out, const processors::Interval& fixed, double p,
                   const processors::AlwaysValid& always) {
  append_interval(out, fixed);
  out.member("p_value", p);
  out.key("always_valid");
  out.begin_object();
  append_interval(out, always.interval);
  out.member("p_value", always.p);
  out.end_object();
}

void append_arm(JsonWriter& out, const Experiment& experiment, const std::string& name,
                const state::ArmSums& sums) {
  out.begin_object();
  out.member("name", name);
  out.member("people", sums.people);
  out.member("exposures", sums.exposures);
  out.member("clicks", sums.clicks);
  out.member("clickers", sums.clickers);
  out.member("conversions", sums.conversions);
  out.member("converters", sums.converters);
  out.key("metrics");
  out.begin_object();
  for (const auto& metric : experiment.metrics) {
    const auto named = processors::success_metric(metric);
    if (!named) continue;
    const auto estimate = processors::estimate(*named, sums);
    out.key(metric);
    out.begin_object();
    out.member("value", estimate.value);
    append_interval(out, estimate.interval);
    out.end_object();
  }
  out.end_object();
  out.end_object();
}

std::string_view name_of(processors::SuccessMetric metric) {
  for (const auto& one : processors::success_metrics()) {
    if (one.metric == metric) return one.name;
  }
  return {};
}

void append_comparisons(JsonWriter& out, const Experiment& experiment, const Report& report) {
  out.key("comparisons");
  out.begin_array();
  for (const auto& one : report.comparisons) {
    out.begin_object();
    out.member("variant", experiment.variants[one.variant].name);
    out.member("baseline", experiment.variants.front().name);
    out.member("metric", name_of(one.metric));
    out.member("difference", one.difference.value);
    append_tested(out, one.difference.fixed, one.difference.p, one.difference.always);
    out.end_object();
  }
  out.end_array();
}

void append_preference(JsonWriter& out, const Experiment& experiment, const Report& report) {
  const auto& preference = *report.preference;
  const auto& sums = report.arms.front();
  out.key("preference");
  out.begin_object();
  for (const bool second : {false, true}) {
    out.key(second ? "second" : "first");
    out.begin_object();
    out.member("name", experiment.variants[second ? 1 : 0].name);
    out.member("people", second ? preference.second : preference.first);
    out.member("clicks", second ? sums.second_credits : sums.first_credits);
    out.end_object();
  }
  out.member("second_share", preference.second_share);
  append_tested(out, preference.fixed, preference.p, preference.always);
  out.end_object();
}

}  // namespace

void append_results(JsonWriter& out, const Deps& deps, const Experiment& experiment) {
  const auto report = processors::report_of(experiment, sums_of(deps, experiment));
  out.begin_object();
  out.member("verdict", verdict_name(report.verdict));
  out.key("winner");
  if (report.winner) {
    out.value(experiment.variants[*report.winner].name);
  } else {
    out.value(nullptr);
  }
  out.member("summary", report.summary);
  out.key("variants");
  out.begin_array();
  for (std::size_t i = 0; i < report.arms.size(); ++i) {
    append_arm(out, experiment, report.preference ? "interleaved" : experiment.variants[i].name,
               report.arms[i]);
  }
  out.end_array();
  if (report.preference) {
    append_preference(out, experiment, report);
  } else {
    out.key("sample_ratio");
    out.begin_object();
    out.member("p_value", report.sample_ratio_p);
    out.member("mismatch", report.sample_ratio_p < processors::kMismatch);
    out.end_object();
    append_comparisons(out, experiment, report);
  }
  out.end_object();
}

}  // namespace millrace::serving
