#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "processors/training/deep_options.h"
#include "processors/training/sequence_model.h"
#include "train/sequences.h"

namespace millrace::train {

struct FitOptions {
  processors::DeepOptions deep;
  std::uint32_t blocks = 1;
  std::uint32_t heads = 2;
  std::uint32_t length = 50;  // items looked at
  double dropout = 0.4;
  double weight_decay = 1e-5;         // Adam's L2
  std::uint32_t batch = 32;           // windows
  std::uint32_t patience = 4;         // epochs without a better validation before it ends
  std::uint32_t candidates = 20'000;  // items of a softmax; of more a sample
  int threads = 1;
  std::string state_file;  // written after every epoch, read on start; empty: none
};

// One epoch, as it is over.
struct Epoch {
  std::uint32_t number = 0;    // from 1
  double loss = 0;             // mean over what was trained
  double validation_loss = 0;  // mean over what was held out
  double ndcg = 0;             // @10, the same
  double seconds = 0;
  bool best = false;  // of all until now, by validation_loss
};

struct FitEvents {
  std::function<void(const Epoch&)> epoch;
  std::function<void(const std::string&)> note;  // a line for people
  std::function<bool()> stopped;                 // asked after every batch
};

// Trains from where `state_file` stands, else from the start. Each person's last item is held out:
// seen as an input by nobody, it says after every epoch how well the next is foretold; the answer
// is the network of the epoch that did so best. Everything random follows from the seed and the
// number of the epoch, so that a training that was killed and goes on ends as one that was not, and
// two with the same options, threads and data are the same. kUnavailable: stopped; kInvalid: fewer
// than two people with three items.
Result<processors::SequenceModel> fit(const Sequences& data, const FitOptions& options,
                                      const FitEvents& events);

}  // namespace millrace::train
