#pragma once
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/evaluation_data.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/acceptor.h"
#include "ingest/memory_log.h"
#include "processors/engine.h"
#include "processors/prequential/blend_learner.h"
#include "processors/training/jobs.h"
#include "processors/training/trainer.h"
#include "schemas/uuid7.h"

namespace millrace::app {

struct ReplayOptions {
  std::size_t memory_bytes = 2u << 30;
  processors::RankingOptions ranking;
  processors::LinearOptions linear;
  std::string train_program;  // millrace-train
};

// A Millrace in this process that lives through a data set: a real engine over a log in memory and
// a temporary folder, with a clock that shows the events' own times, so that log time is event
// time. One partition, so that views which number things as they come (sessions) are the same every
// time. One thread.
class Replay {
 public:
  // With the data's catalogue in it. The data outlives it.
  static Result<std::unique_ptr<Replay>> open(const EvaluationData& data,
                                              const ReplayOptions& options);
  ~Replay();

  // Accepts samples in the order of their times, and waits until they are applied where asked to.
  Status feed(std::span<const Sample> samples, bool wait);
  // Until everything fed is applied; false after `timeout_ms`.
  bool caught_up(int timeout_ms);
  // Begins a training; finished() then tells, once, that it is over, and its error.
  Status begin_training(processors::ModelKind kind);
  std::optional<Status> finished(int timeout_ms);

  // The first `limit` that an algorithm has for a person at `now`, as places in the data's items.
  Result<std::vector<std::uint32_t>> ask(processors::RankFn rank, std::uint32_t user,
                                         UnixMillis now, std::size_t limit) const;

  // An answer of hybrid_ensemble as the server gives it, with the probability of each item that the
  // person acts on it; in the log as shown.
  struct Shown {
    std::vector<std::uint32_t> items;  // places in the data's items
    std::vector<double> probabilities;
  };
  Result<Shown> show(std::uint32_t user, UnixMillis now, std::size_t limit);
  // Before it is fed what a person takes to: the weights that hybrid_ensemble is asked with from
  // then on learn from it.
  Status learn_blend(std::uint32_t user, std::uint32_t item, UnixMillis now);
  const processors::BlendLearner& blend() const { return blend_; }

 private:
  Replay(const EvaluationData& data, const ReplayOptions& options);
  Status start(const ReplayOptions& options);
  Status put_catalog();
  processors::Query query_of(std::uint32_t user, UnixMillis now, std::size_t limit) const;
  std::vector<std::uint32_t> places_of(const processors::Ranked& ranked) const;
  Status accept(std::span<const Sample> samples);

  struct Folder {  // temporary, gone with it
    Folder();
    ~Folder();
    std::filesystem::path path;
  };

  const EvaluationData& data_;
  Folder folder_;
  ManualClock clock_{0};
  Metrics metrics_;
  Uuid7Minter ids_{clock_};
  ingest::MemoryLog log_{clock_, 1};
  std::unique_ptr<processors::Engine> engine_;
  std::unique_ptr<ingest::Acceptor> acceptor_;
  std::unique_ptr<processors::Trainer> trainer_;
  std::unique_ptr<processors::Jobs> jobs_;
  Position fed_;
  std::uint64_t next_id_ = 0;
  processors::BlendLearner blend_;
  std::future<processors::Job> training_;  // the one that was begun last
  std::vector<std::uint32_t> place_;       // in the data, by the engine's ItemIndex
};

}  // namespace millrace::app
