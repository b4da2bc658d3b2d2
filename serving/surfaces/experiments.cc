#include "serving/surfaces/experiments.h"

#include <string>
#include <utility>

#include "schemas/catalog_record.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/experiment_body.h"
#include "serving/surfaces/experiment_results.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

Reply no_experiment() { return problem({Code::kNotFound, "no experiment has this id", {}}); }

Reply experiment_reply(const Deps& deps, const std::string& id, bool results, int status) {
  const auto found = deps.engine->catalog().view()->experiments().find(id);
  if (!found) return no_experiment();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  append_experiment(out, *found, deps.clock->now());
  if (results) {
    out.key("results");
    append_results(out, deps, found->asked);
  }
  out.end_object();
  return json_reply(std::move(body), status);
}

bool known(const Deps& deps, const std::string& id) {
  return deps.engine->catalog().view()->experiments().find(id) != nullptr;
}

Answer create(const Request& request, const Deps& deps) {
  auto experiment = experiment_in(request);
  if (!experiment) return problem(experiment.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name, id = experiment->id](const Position&) {
    const auto outcome = deps.engine->catalog().outcome(name);
    if (!outcome) return outcome_unknown(name);
    if (*outcome == CommandOutcome::kNameTaken) {
      return problem({Code::kConflict, "is another experiment's", "experiment_id"});
    }
    if (*outcome == CommandOutcome::kFull) {
      return problem({Code::kConflict, "there are 1000 experiments already", {}});
    }
    return experiment_reply(deps, id, false, 201);
  };
  return command(deps, {*name, PutExperiment{*std::move(experiment)}, actor_of(request)}, answer);
}

Reply list(const Request& request, const Deps& deps) {
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto after = cursor_param(request);
  if (!after) return problem(after.error());
  const auto view = deps.engine->catalog().view();
  const auto& all = view->experiments().all();
  const auto now = deps.clock->now();
  std::string body, last;
  JsonWriter out(body);
  out.begin_object();
  out.key("experiments");
  out.begin_array();
  auto at = all.upper_bound(*after);
  for (std::size_t i = 0; i < *limit && at != all.end(); ++i, ++at) {
    out.begin_object();
    append_experiment(out, *at->second, now);
    out.end_object();
    last = at->first;
  }
  out.end_array();
  out.member("count", all.size());
  out.end_object();
  auto reply = json_reply(std::move(body));
  if (at != all.end()) {
    reply.headers.emplace_back("Link", "<" + deps.options.public_url + request.path +
                                           "?limit=" + std::to_string(*limit) +
                                           "&cursor=" + cursor_of(last) + ">; rel=\"next\"");
  }
  return reply;
}

// "No such thing" is said only behind the end of the catalog.
Answer read(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  const auto answer = [deps, id = *id] { return experiment_reply(deps, id, true, 200); };
  return known(deps, *id) ? when_reached(deps, *position, answer)
                          : behind_catalog(deps, *position, answer);
}

Answer stop(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto go = [deps, id = *id, name = *name, actor = actor_of(request)]() -> Answer {
    if (!known(deps, id)) return no_experiment();
    return command(deps, {name, StopExperiment{id}, actor},
                   [deps, id](const Position&) { return experiment_reply(deps, id, true, 200); });
  };
  return known(deps, *id) ? go() : behind_catalog(deps, {}, go);
}

}  // namespace

std::vector<Route> experiment_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) -> Answer { return handler(request, deps); };
  };
  return {
      {"POST", "/api/ab-test/create/", Policy::kAdmin, with(create)},
      {"GET", "/api/ab-test/", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list); }},
      {"GET", "/api/ab-test/{id}/", Policy::kAdmin, with(read)},
      {"POST", "/api/ab-test/{id}/stop/", Policy::kAdmin, with(stop)},
  };
}

}  // namespace millrace::serving
