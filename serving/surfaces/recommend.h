#pragma once
#include <functional>
#include <optional>
#include <string>

#include "processors/experiments/arm.h"
#include "processors/rankers/list.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// What a request for recommendations asks.
struct Ask {
  processors::Query query;  // `now` and, without ?seed=, `seed` are still to be filled in
  const processors::Ranker* ranker = nullptr;
  // The request does not name an algorithm: a running experiment may put its own in place of
  // `ranker`.
  bool open = false;
};

// What is shown.
struct Recommendation {
  std::string id;
  processors::Query query;
  processors::ReadState read;
  processors::Ranked ranked;
  std::optional<processors::ExperimentArm> arm;  // that ranked; nothing: no experiment did
};

// Answers with what `write` makes of a recommendation, behind the position that the request asks
// for. The impression goes into the log behind the answer (ADR 19), but within a running experiment
// before it (ADR 21): where the log does not take it the answer is given without the experiment.
// `write` may be called on another thread, and once.
Answer recommend(const Request& request, const Deps& deps, Ask ask,
                 std::function<Reply(const Recommendation&)> write);

}  // namespace millrace::serving
