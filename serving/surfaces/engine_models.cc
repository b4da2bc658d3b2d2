#include "serving/surfaces/engine_models.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/json_writer.h"
#include "schemas/rules.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/live_quality.h"
#include "serving/surfaces/model_kind.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

using processors::DeepOptions;
using processors::Job;
using processors::ModelVersion;

constexpr std::size_t kMaxDatasetIds = 1'000;
constexpr std::size_t kMaxNameBytes = 64;
constexpr std::int64_t kMaxCount = INT32_MAX;
constexpr std::int64_t kMaxExactInteger = (std::int64_t{1} << 53) - 1;

// ---- training

Result<double> number_in(const JsonBody& body, const char* name, double otherwise) {
  const Json* given = body.find(name);
  if (given == nullptr) return otherwise;
  double value = 0;
  const char* const end = given->text.data() + given->text.size();
  const auto parsed = std::from_chars(given->text.data(), end, value);
  const bool number =
      given->kind == JsonKind::kNumber && parsed.ec == std::errc() && parsed.ptr == end;
  return number ? Result<double>(value) : fail(Code::kInvalid, "must be a number", name);
}

Result<std::uint32_t> count_in(const JsonBody& body, const char* name, std::uint32_t otherwise) {
  MILLRACE_TRY(const auto given, body.integer(name, 0, kMaxCount));
  return given ? static_cast<std::uint32_t>(*given) : otherwise;
}

// What training is told; the limits are processors::check's.
Result<DeepOptions> config_of(const JsonBody& body) {
  DeepOptions options;
  const Json* config = body.find("config");
  if (config == nullptr) return options;
  const auto members = JsonBody::of(*config);
  if (!members) return fail(Code::kInvalid, "must be an object", "config");
  MILLRACE_TRY(options.embedding_dim, count_in(*members, "embedding_dim", options.embedding_dim));
  MILLRACE_TRY(options.learning_rate, number_in(*members, "learning_rate", options.learning_rate));
  MILLRACE_TRY(options.epochs, count_in(*members, "epochs", options.epochs));
  MILLRACE_CHECK(processors::check(options));
  return options;
}

Status check_datasets(const JsonBody& body, const state::DatasetsView& datasets) {
  const Json* ids = body.find("dataset_ids");
  if (ids == nullptr) return {};
  if (ids->kind != JsonKind::kArray || ids->elements.size() > kMaxDatasetIds) {
    return fail(Code::kInvalid, "must be an array of at most 1000 numbers", "dataset_ids");
  }
  for (const auto& element : ids->elements) {
    const auto id = integer_of(element.scalar(), "dataset_ids", 1, kMaxExactInteger);
    if (!id) return fail(Code::kInvalid, "must be positive integers", "dataset_ids");
    if (!datasets.contains(static_cast<std::uint64_t>(*id))) {
      return fail(Code::kNotFound, "no dataset has the id " + element.text);
    }
  }
  return {};
}

std::string url_of(const Job& job) { return "/api/jobs/" + job.id + "/"; }

void append_started(JsonWriter& out, const Job& job) {
  out.member("job_id", job.id);
  out.member("status", processors::job_state_name(job.state));
  out.member("status_url", url_of(job));
}

Result<std::vector<Job>> begin_training(const Request& request, const Deps& deps) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  MILLRACE_TRY(const auto model, body.line("model", kMaxNameBytes));
  auto kinds = model_kinds();
  if (model) {
    MILLRACE_TRY(const auto kind, model_kind(*model, "model"));
    kinds = {kind};
  }
  MILLRACE_TRY(const auto config, config_of(body));
  MILLRACE_CHECK(check_datasets(body, *deps.engine->catalog().datasets()));
  std::vector<Job> jobs;
  for (const auto kind : kinds) {
    MILLRACE_TRY(auto job, deps.trainer->train(kind, {}, config));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Reply start_training(const Request& request, const Deps& deps) {
  const auto jobs = begin_training(request, deps);
  if (!jobs) return problem(jobs.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  append_started(out, jobs->back());
  out.key("jobs");
  out.begin_array();
  for (const auto& job : *jobs) {
    out.begin_object();
    out.member("model", job.kind);
    append_started(out, job);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  auto reply = json_reply(std::move(body), 202);
  reply.headers.emplace_back("Location", url_of(jobs->back()));
  return reply;
}

// ---- jobs

Reply job_reply(const Result<Job>& job) {
  if (!job) return problem(job.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("job_id", job->id);
  out.member("kind", job->kind);
  out.member("status", processors::job_state_name(job->state));
  out.member("progress", job->progress);
  append_time(out, "created", job->created);
  append_time(out, "started", job->started);
  append_time(out, "finished", job->finished);
  if (!job->result.empty()) out.raw_member("result", job->result);
  if (!job->error.empty()) out.member("error", job->error);
  out.end_object();
  return json_reply(std::move(body));
}

Reply get_job(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  auto job = deps.jobs->find(*id);
  return job ? job_reply(*std::move(job)) : problem({Code::kNotFound, "no job has this id", {}});
}

Reply cancel_job(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  return id ? job_reply(deps.jobs->cancel(*id)) : problem(id.error());
}

// ---- models

void append_version(JsonWriter& out, const ModelVersion& one) {
  out.member("name", one.name);
  out.member("version", one.version);
  out.member("position", one.position.text());
  append_time(out, "trained", one.trained);
  out.member("bytes", one.bytes);
}

Reply list_models(const Deps& deps) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("models");
  out.begin_array();
  for (const auto kind : model_kinds()) {
    for (const auto& one : deps.trainer->versions(kind)) {
      out.begin_object();
      append_version(out, one);
      out.member("in_use", one.in_use);
      out.end_object();
    }
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Reply model_metrics(const Deps& deps) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("models");
  out.begin_array();
  for (const auto kind : model_kinds()) {
    const auto versions = deps.trainer->versions(kind);
    const auto used = std::find_if(versions.begin(), versions.end(),
                                   [](const ModelVersion& one) { return one.in_use; });
    out.begin_object();
    if (used != versions.end()) {
      append_version(out, *used);
    } else {
      out.member("name", processors::model_name(kind));
      for (const char* name : {"version", "position", "trained"}) out.member(name, nullptr);
      out.member("bytes", 0);
    }
    const bool known = used != versions.end() && !used->metrics.empty();
    out.raw_member("metrics", known ? std::string_view(used->metrics) : "{}");
    out.end_object();
  }
  out.end_array();
  append_live_quality(out, deps);
  out.end_object();
  return json_reply(std::move(body));
}

Reply promote(const Request& request, const Deps& deps) {
  const auto name = id_param(request, "name");
  if (!name) return problem(name.error());
  const auto kind = model_kind(*name, "name");
  if (!kind) return problem({Code::kNotFound, "no model has this name", {}});
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  const auto version = body->line("version", kMaxNameBytes);
  if (!version) return problem(version.error());
  const auto promoted = deps.trainer->promote(*kind, version->value_or(std::string()));
  if (!promoted) return problem(promoted.error());
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  append_version(out, *promoted);
  out.member("in_use", promoted->in_use);
  out.end_object();
  return json_reply(std::move(text));
}

}  // namespace

std::vector<Route> engine_model_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) -> Handler {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  const auto alone = [&deps](auto handler) -> Handler {
    return [deps, handler](const Request&) { return handler(deps); };
  };
  Route train{"POST", "/api/enhanced-train/", Policy::kAdmin, with(start_training)};
  train.allowance = Allowance::kTraining;
  return {
      std::move(train),
      {"GET", "/api/jobs/{id}/", Policy::kAdmin, with(get_job)},
      {"DELETE", "/api/jobs/{id}/", Policy::kAdmin, with(cancel_job)},
      {"GET", "/api/model-metrics/", Policy::kAdmin, alone(model_metrics)},
      {"GET", "/api/models/", Policy::kAdmin, alone(list_models)},
      {"POST", "/api/models/{name}/promote/", Policy::kAdmin, with(promote)},
  };
}

}  // namespace millrace::serving
