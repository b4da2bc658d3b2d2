#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "train/fit.h"
#include "train/net.h"

namespace millrace::train {

// Where a training stands between two epochs.
struct FitProgress {
  std::uint64_t key = 0;    // of data and options
  std::uint32_t epoch = 0;  // how many are over
  std::uint32_t best_epoch = 0;
  double best_loss = 0;
  double best_ndcg = 0;
  std::vector<torch::Tensor> best;  // parameters of the best epoch
};

std::uint64_t key_of(const Sequences& data, const FitOptions& options);

std::vector<torch::Tensor> copy_parameters(const Net& net);
void load_parameters(Net& net, const std::vector<torch::Tensor>& from);

// Replaces the file in one step.
Status save_state(const std::string& file, const Net& net, const torch::optim::Adam& adam,
                  const FitProgress& progress);
// False: there is none, or one of other data or options, or a damaged one; nothing has changed.
bool load_state(const std::string& file, Net& net, torch::optim::Adam& adam, FitProgress& progress);

}  // namespace millrace::train
