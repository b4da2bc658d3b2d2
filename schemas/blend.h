#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace {

namespace proto {
class Blend;
}

// What the parts of hybrid_ensemble weigh, as learned from what people did
// (processors/prequential/blend_learner.h). Whole numbers, so that it is the same bytes everywhere.
struct Blend {
  struct Weight {
    std::string part;
    std::uint64_t millionths = 0;
    friend bool operator==(const Weight&, const Weight&) = default;
  };
  // Of people of one segment at one moment (processors/rankers/blend_weights.h).
  struct Row {
    std::uint32_t segment = 0;
    std::uint32_t moment = 0;
    std::uint64_t predictions = 0;  // that the weights rest on
    std::vector<Weight> weights;
    friend bool operator==(const Row&, const Row&) = default;
  };
  std::vector<Row> rows;
  friend bool operator==(const Blend&, const Blend&) = default;
};

// Puts a blend in force, in the place of the one before.
struct PutBlend {
  Blend blend;
  friend bool operator==(const PutBlend&, const PutBlend&) = default;
};

void fill(proto::Blend& message, const Blend& blend);
Result<Blend> blend_of(const proto::Blend& message);  // kCorrupt: more than there can be

}  // namespace millrace
