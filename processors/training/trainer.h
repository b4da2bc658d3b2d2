#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/schedule.h"
#include "processors/engine.h"
#include "processors/training/category_model.h"
#include "processors/training/deep_options.h"
#include "processors/training/jobs.h"
#include "processors/training/linear_model.h"
#include "processors/training/model_versions.h"
#include "processors/training/neighbour_model.h"

namespace millrace::processors {

enum class ModelKind : std::uint8_t { kCategories, kNeighbours, kLinear, kDeepLearning };
inline constexpr std::size_t kModelKinds = 4;
std::string_view model_name(ModelKind kind);  // of its file, and of its training as a job

// Keeps the models: reads their files on start, trains them anew by time and by change, writes each
// and swaps it in. The sequence model is trained by a program of its own, and only when asked for:
// it takes minutes. Readers never wait: they take the model that there is. A file that is damaged
// is left out, counted and trained again. Thread-safe.
class Trainer {
 public:
  struct Options {
    std::string folder;  // of the files
    std::uint32_t clusters = 5;
    Schedule again = Schedule::every(3'600'000);
    LinearOptions linear;
    Schedule linear_again = Schedule::every(300'000);  // of the linear model
    double change = 0.1;                               // share of the products; 0: not by change
    int look_ms = 1'000;        // how often it is seen whether a training is due
    std::string train_program;  // millrace-train
    int train_threads = 1;      // of that
  };
  // All outlive it.
  Trainer(Options options, Engine& engine, Jobs& jobs, const Clock& clock, Metrics& metrics);
  ~Trainer();  // stop(); the jobs must be over

  void stop();  // no more trainings are begun by themselves

  // Null: none yet.
  std::shared_ptr<const CategoryModel> categories() const;
  std::shared_ptr<const NeighbourModel> neighbours() const;
  std::shared_ptr<const LinearModel> linear() const;  // readers have it in their ReadState

  // A training as a job; see Jobs::submit. `deep` is what kDeepLearning alone is told. kInvalid
  // names its field.
  Result<Job> train(ModelKind kind, Jobs::Done done = {}, const DeepOptions& deep = {});

  // What is kept of a model's trainings, the newest first.
  std::vector<ModelVersion> versions(ModelKind kind) const;
  // Uses a version from now on, until the next training; empty: the one before the one in use.
  // kNotFound: there is no such one; kConflict: the model is being trained.
  Result<ModelVersion> promote(ModelKind kind, const std::string& version);

 private:
  struct Times {
    UnixMillis trained = 0;  // or tried; 0: not since the start
    bool wanted = false;     // its file was damaged
  };
  void load();
  Status load(ModelKind kind);
  Result<std::string> train_categories(JobControl& control);
  Result<std::string> train_neighbours(JobControl& control);
  Result<std::string> train_linear(JobControl& control);
  Result<std::string> train_deep_learning(const DeepOptions& deep, JobControl& control);
  Result<std::string> train_now(ModelKind kind, const DeepOptions& deep, JobControl& control);
  void keep(LinearModel model);  // and hand it to the engine
  bool due(ModelKind kind);
  void run(const std::stop_token& stop);

  const Options options_;
  Engine& engine_;
  Jobs& jobs_;
  const Clock& clock_;
  Metrics& metrics_;
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::shared_ptr<const CategoryModel> categories_;
  std::shared_ptr<const NeighbourModel> neighbours_;
  std::shared_ptr<const LinearModel> linear_;
  std::array<Times, kModelKinds> times_{};
  Offset looked_at_ = -1;  // of the catalog: the thread's, by which changes were counted
  std::jthread thread_;    // last: joins before the rest goes
};

}  // namespace millrace::processors
