#include "serving/surfaces/jobs.h"

#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/model_kind.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

using processors::Job;
using processors::JobState;

void append_job(JsonWriter& out, const Job& job) {
  out.begin_object();
  out.member("id", job.id);
  out.member("kind", job.kind);
  out.member("state", processors::job_state_name(job.state));
  out.member("progress", job.progress);
  append_time(out, "created", job.created);
  append_time(out, "started", job.started);
  append_time(out, "finished", job.finished);
  if (!job.result.empty()) out.raw_member("result", job.result);
  if (!job.error.empty()) out.member("error", job.error);
  out.end_object();
}

Reply job_reply(const Job& job, int status = 200) {
  std::string body;
  JsonWriter out(body);
  append_job(out, job);
  return json_reply(std::move(body), status);
}

Reply list_jobs(const Deps& deps) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("jobs");
  out.begin_array();
  for (const auto& job : deps.jobs->list()) append_job(out, job);
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Reply start_job(const Request& request, const Deps& deps) {
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  const auto kind = body->required_line("kind", 64);
  if (!kind) return problem(kind.error());
  const auto model = model_kind(*kind, "kind");
  if (!model) return problem(model.error());
  const auto job = deps.trainer->train(*model);
  if (!job) return problem(job.error());
  auto reply = job_reply(*job, 202);
  reply.headers.emplace_back("Location", "/v1/admin/jobs/" + job->id);
  return reply;
}

Reply get_job(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto job = deps.jobs->find(*id);
  return job ? job_reply(*job) : problem({Code::kNotFound, "no job has this id", {}});
}

Reply cancel_job(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto job = deps.jobs->cancel(*id);
  return job ? job_reply(*job) : problem(job.error());
}

}  // namespace

std::vector<Route> job_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) -> Handler {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  return {
      {"GET", "/v1/admin/jobs", Policy::kAdmin, [deps](const Request&) { return list_jobs(deps); }},
      {"POST", "/v1/admin/jobs", Policy::kAdmin, with(start_job)},
      {"GET", "/v1/admin/jobs/{id}", Policy::kAdmin, with(get_job)},
      {"DELETE", "/v1/admin/jobs/{id}", Policy::kAdmin, with(cancel_job)},
  };
}

}  // namespace millrace::serving
