#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "processors/training/jobs.h"
#include "processors/training/model_file.h"
#include "processors/views/interaction_matrix.h"
#include "state/item_index.h"

namespace millrace::processors {

// The products that most people have dealt with, with their nearest neighbours by cosine, counted
// over all of their people: for those of whom a reader looks at the newest only
// (rankers/neighbours.h). Immutable.
struct NeighbourModel {
  static constexpr std::size_t kMaxProducts = 10'000;
  static constexpr std::size_t kMaxNeighbours = 50;  // of each

  struct Row {
    state::ItemIndex product = state::kNoItem;
    std::uint32_t people = 0;
    std::vector<Neighbour> others;  // nearest first
  };
  std::vector<Row> rows;
  std::unordered_map<state::ItemIndex, std::uint32_t> place;  // in rows
  Position position;

  // Reads while others write: at least what `position` says is in. kUnavailable: cancelled.
  static Result<NeighbourModel> train(const InteractionMatrix& matrix, std::uint32_t items,
                                      const Position& position, JobControl& control);
  ModelFile encode(const InteractionMatrix& matrix, const state::NameTable& items) const;
  // Without the products that `items` does not know.
  static Result<NeighbourModel> decode(const ModelFile& file, const state::NameTable& items);

  std::span<const Neighbour> overlaps(state::ItemIndex product) const;
};

}  // namespace millrace::processors
