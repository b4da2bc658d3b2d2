#pragma once
// Only .cc files of this folder include this: libtorch's headers take a minute to compile.
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "processors/training/sequence_model.h"

namespace millrace::train {

struct NetShape {
  std::int64_t items = 0;
  std::int64_t dim = 64;
  std::int64_t heads = 2;
  std::int64_t hidden = 128;
  std::int64_t blocks = 1;
  std::int64_t length = 50;
  double dropout = 0.4;
};

// The network of processors/training/sequence_model.h as libtorch trains it. An item's vector is
// its own plus the mean of its genres'.
class Net : public torch::nn::Module {
 public:
  // `genres`: items × genres, rows of sum 1 or 0.
  Net(const NetShape& shape, torch::Tensor genres);

  torch::Tensor item_vectors();  // items × dim
  // `sequences`: batch × time of rows, padded behind the end with anything. Answers batch × time ×
  // dim; a place sees itself and what is before it.
  torch::Tensor represent(const torch::Tensor& vectors, const torch::Tensor& sequences);
  torch::Tensor item_bias;

  // All but what is not the network's: ids, record and position.
  processors::SequenceModel export_model();

 private:
  struct Block {
    torch::nn::LayerNorm attention_norm{nullptr}, feed_norm{nullptr};
    torch::nn::Linear query{nullptr}, key{nullptr}, value{nullptr}, out{nullptr};
    torch::nn::Linear up{nullptr}, down{nullptr};
    torch::Tensor distance;
  };
  Block make_block(const std::string& name);
  torch::Tensor attend(const Block& block, const torch::Tensor& normed);
  torch::Tensor drop(const torch::Tensor& x);

  const NetShape shape_;
  torch::Tensor genres_;
  torch::Tensor own_, of_genre_;
  std::vector<Block> blocks_;
  torch::nn::LayerNorm last_{nullptr};
};

}  // namespace millrace::train
