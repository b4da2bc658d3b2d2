#include "serving/surfaces/recommend.h"

#include <functional>
#include <memory>
#include <utility>

#include "processors/rankers/arrange.h"
#include "serving/http/problem.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/impressions.h"
#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {
namespace {

using Write = std::function<Reply(const Recommendation&)>;

// In the log first, then shown.
Answer show_in(const processors::ExperimentArm& arm, const Deps& deps, Recommendation one,
               const processors::Ranker& ranker, Write write) {
  auto found = rank_in(arm, one.query, one.read, ranker);
  one.ranked = std::move(found.ranked);
  one.arm = arm;
  auto impression =
      impression_of(one.id, {one.query, one.read, one.ranked, 0, one.ranked.items.size()});
  impression.experiment = arm.asked().id;
  impression.arm = arm.number;
  impression.second = std::move(found.second);
  const auto shown = std::make_shared<Recommendation>(std::move(one));
  return Later{[deps, shown, &ranker, write = std::move(write),
                impression = std::move(impression)](auto finish) {
    deps.impressions->keep(impression, [shown, &ranker, write, finish](bool kept) {
      finish([shown, &ranker, write, kept] {
        if (!kept) {
          shown->arm.reset();
          shown->ranked = rank_arranged(ranker, shown->query, shown->read);
        }
        return write(*shown);
      });
    });
  }};
}

Answer answer(const Request& request, const Deps& deps, Ask ask, Write write) {
  Recommendation one{deps.ids->mint(), std::move(ask.query), {}, {}, {}};
  auto& query = one.query;
  query.now = deps.clock->now();
  if (!request.query_value("seed")) query.seed = std::hash<std::string>()(one.id);
  auto read = deps.engine->read(query.user.value, query.session);
  if (!read) return problem(read.error());
  one.read = *std::move(read);
  if (ask.open) {
    if (const auto arm = processors::experiment_arm(*one.read.catalog, query.user, query.now)) {
      return show_in(*arm, deps, std::move(one), *ask.ranker, std::move(write));
    }
  }
  one.ranked = rank_arranged(*ask.ranker, query, one.read);
  log_impression(request, deps, one.id, {query, one.read, one.ranked, 0, one.ranked.items.size()});
  return write(one);
}

}  // namespace

Answer recommend(const Request& request, const Deps& deps, Ask ask, Write write) {
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  if (position->empty() || deps.engine->publisher().reached(*position)) {
    return answer(request, deps, std::move(ask), std::move(write));
  }
  return after(deps, *position, [request, deps, ask = std::move(ask), write = std::move(write)] {
    return answer(request, deps, ask, write);
  });
}

}  // namespace millrace::serving
