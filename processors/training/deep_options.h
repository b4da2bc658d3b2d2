#pragma once
#include <cstdint>

#include "base/result.h"

namespace millrace::processors {

// What a training of the sequence model (sequence_model.h) can be told.
struct DeepOptions {
  std::uint32_t embedding_dim = 64;  // numbers an item; 8 to 512, a multiple of 4
  double learning_rate = 0.001;      // Adam's; above 0, at most 1
  std::uint32_t epochs = 50;         // at most; 1 to 10,000
  std::uint64_t seed = 1;            // of everything random
};
// kInvalid names the field and its rule.
Status check(const DeepOptions& options);

}  // namespace millrace::processors
