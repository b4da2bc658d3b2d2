#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/confidence.h"
#include "app/evaluation_data.h"
#include "app/ranking_metrics.h"
#include "app/replay.h"
#include "app/split.h"
#include "base/result.h"

namespace millrace::app {

struct EvaluationOptions {
  Protocol protocol = Protocol::kTemporal;
  std::vector<std::string> algorithms{"hybrid_ensemble"};
  std::vector<std::size_t> k{10, 20};
  double ratio = 0.2;  // held out
  std::uint64_t seed = 42;
  bool validation = false;               // hold out of train instead, as tuning must
  bool train_deep = false;               // the network of deep_learning, too: minutes each time
  std::int64_t retrain_ms = 86'400'000;  // prequential: time in the data between two trainings
  bool learn_blend = true;               // prequential: else the weights stay as chosen
  std::int64_t retrain_deep_ms = 30 * std::int64_t{86'400'000};  // the same, of the network
  ReplayOptions replay;
};

struct AlgorithmResult {
  std::string algorithm;
  RankingMetrics metrics;
  std::vector<std::uint32_t> latencies_us;  // of asking, ascending
  std::optional<Confidence> confidence;     // prequential, hybrid_ensemble: of its first ten
  // People in order, with their lists; prequential: empty.
  std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>> lists;
};

// Answers false to stop.
using OnProgress = std::function<bool(const std::string& part, double share, std::uint64_t rows)>;

// Replays train through the real pipeline, trains the models that the algorithms use, asks the real
// rankers for whole lists, and scores them against what was held out. kInvalid names the flag;
// kUnavailable: stopped.
Result<std::vector<AlgorithmResult>> evaluate(const EvaluationData& data,
                                              const EvaluationOptions& options,
                                              const OnProgress& progress);

}  // namespace millrace::app
