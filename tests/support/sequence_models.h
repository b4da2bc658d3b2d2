#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "processors/training/sequence_model.h"

namespace millrace {

// A small model of two blocks that nobody trained: its numbers are random, and the same for a seed.
processors::SequenceModel random_sequence_model(std::vector<std::string> ids, std::uint32_t seed);

}  // namespace millrace
