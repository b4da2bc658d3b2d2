#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "processors/training/item_gram.h"
#include "processors/training/jobs.h"
#include "processors/training/model_file.h"
#include "state/item_index.h"
#include "state/partition_store.h"

namespace millrace::processors {

struct LinearOptions {
  double decay = 20;    // of pairs, in positives; see ItemGram. 0: none
  double lambda = 200;  // L2 regularisation, in people
  // The model is over the items that most people took to: at most so many, and as many as a dense
  // matrix of 8 bytes a cell of `max_bytes` holds.
  std::size_t max_items = 10'000;
  std::size_t max_bytes = 256u << 20;
  std::size_t sources = 1024;  // kept of each item's column: the largest by absolute weight; 0: all
};

// EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv 1905.03375):
// with G the Gram matrix of people's positives and P = (G + lambda I)^-1, an item j's score for a
// profile x is sum over i of x_i B_ij, B_ij = -P_ij / P_jj, B_jj = 0. Here G's pairs may decay with
// their distance (ItemGram).
//
// Kept by sources: for each item i, what it says of others. Weights are multiples of 2^-20, so that
// sums of them are exact. 8 bytes a weight, at most items x sources of them: 80 MB for 10,000
// items. Immutable.
struct LinearModel {
  struct Weight {
    std::uint32_t target = 0;  // place in `items`
    float weight = 0;
  };
  std::vector<state::ItemIndex> items;
  std::unordered_map<state::ItemIndex, std::uint32_t> place;  // in `items`
  std::vector<std::uint32_t> row_ends;                        // in `weights`, of each item
  std::vector<Weight> weights;
  Position position;

  // Reads everybody's committed pages, twice; then solves, which takes n^3 steps for n items (about
  // 70 s for 10,000). The factorisation, a third of that, does not hear of a cancellation.
  // kUnavailable: cancelled.
  static Result<LinearModel> train(std::span<const state::PartitionStore* const> stores,
                                   const LinearOptions& options, const Position& position,
                                   JobControl& control);
  // Of a matrix that is there already.
  static Result<LinearModel> solve(ItemGram gram, const LinearOptions& options,
                                   JobControl& control);

  ModelFile encode(const state::NameTable& names) const;
  // Without the items that `names` does not know.
  static Result<LinearModel> decode(const ModelFile& file, const state::NameTable& names);

  // What the item at a place says of others.
  std::span<const Weight> row(std::uint32_t source) const;
};

// The Gram matrix of everybody's committed pages, over the items that LinearOptions choose.
Result<ItemGram> gram_of(std::span<const state::PartitionStore* const> stores,
                         const LinearOptions& options, JobControl& control);

}  // namespace millrace::processors
