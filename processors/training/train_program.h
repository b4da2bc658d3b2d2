#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "processors/training/deep_options.h"
#include "processors/training/jobs.h"

namespace millrace::processors {

// A run of millrace-train (train/) over a checkpoint, as the server follows it.
struct TrainRun {
  std::string program;     // path
  std::string checkpoint;  // folder
  std::string out;         // the model's file
  DeepOptions options;
  int threads = 1;
};

// What the program said when it was done.
struct Trained {
  std::uint32_t epochs = 0;  // that it took
  std::uint32_t best_epoch = 0;
  double loss = 0;
  double ndcg = 0;
};

// Runs it to its end. Cancelled, it is asked to end, and killed ten seconds later. kNotFound: no
// such program; kUnavailable: cancelled; else what it said was wrong.
Result<Trained> run_training(const TrainRun& run, JobControl& control);

}  // namespace millrace::processors
