#include "serving/surfaces/experiment_body.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "processors/experiments/arm.h"
#include "processors/experiments/statistics.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxExperimentId = 64;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxVariantName = 64;
constexpr std::int64_t kMostPeople = 1'000'000'000;
constexpr std::int64_t kDefaultPeople = 1'000;
constexpr double kShareSlack = 1e-6;
constexpr const char* kDefaultMetric = "click_through_rate";
// Of the path that creates them.
constexpr std::string_view kReserved = "create";

tl::unexpected<Error> refuse(std::string rule, std::string field) {
  return fail(Code::kInvalid, std::move(rule), std::move(field));
}

bool is_experiment_id(std::string_view id) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !id.empty() && id.size() <= kMaxExperimentId && plain(id.front()) &&
         std::all_of(id.begin(), id.end(),
                     [plain](char c) { return plain(c) || c == '_' || c == '-' || c == '.'; });
}

Result<std::string> id_in(const JsonBody& body) {
  MILLRACE_TRY(auto id, body.required_line("experiment_id", kMaxExperimentId));
  if (!is_experiment_id(id)) {
    return refuse("must be 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter or digit",
                  "experiment_id");
  }
  if (id == kReserved) return refuse("must not be 'create'", "experiment_id");
  return id;
}

// Nothing: it is no number.
std::optional<double> number_in(const Json& json) {
  if (json.kind != JsonKind::kNumber) return std::nullopt;
  return std::strtod(json.text.c_str(), nullptr);
}

std::string algorithms() {
  std::string names;
  for (const auto& one : processors::rankers()) {
    names.append(names.empty() ? "" : ", ").append(one.name);
  }
  return names;
}

Status read_config(const JsonBody& config, const std::string& field, const Json& given,
                   Variant& variant) {
  const Json* algorithm = config.find("algorithm");
  if (algorithm == nullptr) return refuse("is required", field + ".algorithm");
  if (algorithm->kind != JsonKind::kString || processors::find_ranker(algorithm->text) == nullptr) {
    return refuse("must be one of " + algorithms(), field + ".algorithm");
  }
  variant.algorithm = algorithm->text;
  for (const auto& member : given.members) {
    if (member.name == "algorithm") continue;
    const auto options = processors::variant_options();
    const auto option = std::find_if(options.begin(), options.end(), [&member](const auto& one) {
      return one.name == member.name;
    });
    const auto at = field + "." + member.name;
    if (option == options.end()) return refuse("is nothing that a variant may set", at);
    const auto number = number_in(member.value);
    if (!number || !(*number >= option->least && *number <= option->most)) {
      return refuse("must be a number from " + std::to_string(std::llround(option->least)) +
                        " to " + std::to_string(std::llround(option->most)),
                    at);
    }
    variant.options.emplace_back(member.name, *number);
  }
  return {};
}

Result<Variant> variant_in(const Json& json, const std::string& field) {
  auto body = JsonBody::of(json);
  if (!body) return refuse("must be an object with name and config", field);
  Variant variant;
  auto name = body->required_line("name", kMaxVariantName);
  if (!name) return refuse(name.error().detail, field + ".name");
  variant.name = *std::move(name);
  const Json* given = body->find("config");
  if (given == nullptr) return refuse("is required", field + ".config");
  const auto config = JsonBody::of(*given);
  if (!config) return refuse("must be an object", field + ".config");
  MILLRACE_CHECK(read_config(*config, field + ".config", *given, variant));
  return variant;
}

Result<std::vector<Variant>> variants_in(const JsonBody& body, ExperimentKind kind) {
  const Json* list = body.find("variants");
  const auto most = kind == ExperimentKind::kInterleaving ? 2 : kMaxVariants;
  if (list == nullptr || list->kind != JsonKind::kArray || list->elements.size() < 2 ||
      list->elements.size() > most) {
    return refuse(most == 2 ? "must be a list of 2 for interleaving" : "must be a list of 2 to 10",
                  "variants");
  }
  std::vector<Variant> variants;
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->elements.size(); ++i) {
    const auto field = "variants." + std::to_string(i);
    MILLRACE_TRY(auto variant, variant_in(list->elements[i], field));
    if (!names.insert(variant.name).second) return refuse("must not come twice", field + ".name");
    variants.push_back(std::move(variant));
  }
  return variants;
}

// Shares in parts per million; what rounding has left over is the largest one's.
Status share_traffic(const JsonBody& body, std::vector<Variant>& variants) {
  constexpr const char* kField = "traffic_allocation";
  const Json* given = body.find(kField);
  if (given != nullptr && given->kind != JsonKind::kObject) {
    return refuse("must be an object with a share for each variant", kField);
  }
  double whole = 0;
  std::uint32_t rounded = 0;
  for (auto& variant : variants) {
    double share = 1.0 / static_cast<double>(variants.size());
    if (given != nullptr) {
      const Json* json = given->find(variant.name);
      const auto number = json == nullptr ? std::nullopt : number_in(*json);
      if (!number || !(*number >= 0 && *number <= 1)) {
        return refuse(
            "must have a number from 0 to 1 for each variant, here '" + variant.name + "'", kField);
      }
      share = *number;
    }
    whole += share;
    variant.share = static_cast<std::uint32_t>(std::llround(share * kWholeTraffic));
    rounded += variant.share;
  }
  if (given != nullptr && given->members.size() != variants.size()) {
    return refuse("must name variants only, each once", kField);
  }
  if (std::abs(whole - 1) > kShareSlack) return refuse("must add up to 1", kField);
  const auto largest =
      std::max_element(variants.begin(), variants.end(),
                       [](const auto& a, const auto& b) { return a.share < b.share; });
  largest->share += kWholeTraffic - rounded;  // wraps where it is to be less
  return {};
}

Result<std::vector<std::string>> metrics_in(const JsonBody& body) {
  constexpr const char* kField = "success_metrics";
  const Json* list = body.find(kField);
  if (list == nullptr) return std::vector<std::string>{kDefaultMetric};
  std::vector<std::string> metrics;
  for (const Json& one : list->elements) {
    const bool known = one.kind == JsonKind::kString && processors::success_metric(one.text);
    const bool again = std::find(metrics.begin(), metrics.end(), one.text) != metrics.end();
    if (!known || again) break;
    metrics.push_back(one.text);
  }
  if (list->kind != JsonKind::kArray || metrics.empty() ||
      metrics.size() != list->elements.size()) {
    std::string names;
    for (const auto& one : processors::success_metrics()) {
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    }
    return refuse("must be a list of at least one of " + names + ", none twice", kField);
  }
  return metrics;
}

Result<UnixMillis> date_in(const JsonBody& body, const char* field) {
  const Json* date = body.find(field);
  if (date == nullptr) return refuse("is required", field);
  return time_of(date->scalar(), field);
}

Result<ExperimentKind> kind_in(const JsonBody& body) {
  const Json* kind = body.find("kind");
  if (kind == nullptr) return ExperimentKind::kAb;
  if (kind->kind == JsonKind::kString && kind->text == "ab") return ExperimentKind::kAb;
  if (kind->kind == JsonKind::kString && kind->text == "interleaving") {
    return ExperimentKind::kInterleaving;
  }
  return refuse("must be ab or interleaving", "kind");
}

std::string_view phase_name(state::Phase phase) {
  switch (phase) {
    case state::Phase::kScheduled: return "scheduled";
    case state::Phase::kRunning: return "running";
    case state::Phase::kEnded: return "ended";
    case state::Phase::kStopped: return "stopped";
  }
  return "ended";
}

void append_variants(JsonWriter& out, const Experiment& experiment) {
  out.key("variants");
  out.begin_array();
  for (const auto& variant : experiment.variants) {
    out.begin_object();
    out.member("name", variant.name);
    out.key("config");
    out.begin_object();
    out.member("algorithm", variant.algorithm);
    for (const auto& [name, value] : variant.options) out.member(name, value);
    out.end_object();
    out.end_object();
  }
  out.end_array();
  out.key("traffic_allocation");
  out.begin_object();
  for (const auto& variant : experiment.variants) {
    out.member(variant.name, static_cast<double>(variant.share) / kWholeTraffic);
  }
  out.end_object();
}

}  // namespace

Result<Experiment> experiment_in(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  Experiment experiment;
  MILLRACE_TRY(experiment.id, id_in(body));
  MILLRACE_TRY(experiment.name, body.required_line("name", kMaxName));
  MILLRACE_TRY(experiment.kind, kind_in(body));
  MILLRACE_TRY(experiment.variants, variants_in(body, experiment.kind));
  MILLRACE_CHECK(share_traffic(body, experiment.variants));
  MILLRACE_TRY(experiment.metrics, metrics_in(body));
  MILLRACE_TRY(experiment.start, date_in(body, "start_date"));
  MILLRACE_TRY(experiment.end, date_in(body, "end_date"));
  if (experiment.end <= experiment.start) {
    return refuse("must be later than start_date", "end_date");
  }
  MILLRACE_TRY(const auto people, body.integer("minimum_sample_size", 1, kMostPeople));
  experiment.minimum_sample_size = static_cast<std::uint64_t>(people.value_or(kDefaultPeople));
  return experiment;
}

void append_experiment(JsonWriter& out, const state::KeptExperiment& experiment, UnixMillis now) {
  const auto& asked = experiment.asked;
  out.member("experiment_id", asked.id);
  out.member("name", asked.name);
  out.member("kind", asked.kind == ExperimentKind::kAb ? "ab" : "interleaving");
  append_variants(out, asked);
  out.key("success_metrics");
  out.begin_array();
  for (const auto& metric : asked.metrics) out.value(metric);
  out.end_array();
  out.member("start_date", rfc3339(asked.start));
  out.member("end_date", rfc3339(asked.end));
  out.member("minimum_sample_size", asked.minimum_sample_size);
  out.member("state", phase_name(phase_of(experiment, now)));
  out.member("created_at", rfc3339(experiment.created));
  append_time(out, "stopped_at", experiment.stopped);
}

}  // namespace millrace::serving
