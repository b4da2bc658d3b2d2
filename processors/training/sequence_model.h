#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "processors/training/model_file.h"
#include "schemas/position.h"
#include "state/item_index.h"

namespace millrace::processors {

// A transformer over a person's last items that says what comes next: SASRec (Kang and McAuley,
// ICDM 2018, https://arxiv.org/abs/1808.09781) with layer norm in front of each part, a learned
// bias by distance instead of positions (as ALiBi, https://arxiv.org/abs/2108.12409, starts out),
// and output vectors tied to those of the input. For items i_1 … i_n, newest last,
//   x_t = item_vectors[i_t]
//   each block:  x += out(attention(norm(x))),  x += down(relu(up(norm(x))))
//   attention of heads h: softmax over s <= t of q_t k_s / sqrt(dim / heads) + distance[h][t - s]
//   logit of item i = norm(x_n) · item_vectors[i] + item_bias[i],
// the log of how likely i is next, but for a constant. Side features (genres) are in item_vectors.
// Trained by millrace-train (train/), which links libtorch; read here by Eigen. Immutable.
struct SequenceModel {
  struct Linear {               // y = weight x + bias
    std::vector<float> weight;  // row-major, a row an output
    std::vector<float> bias;
  };
  struct Norm {
    std::vector<float> scale, shift;
  };
  struct Block {
    Norm attention_norm;
    Linear query, key, value, out;
    std::vector<float> distance;  // heads rows of `length`
    Norm feed_norm;
    Linear up, down;
  };
  // How it was trained; told, never computed with.
  struct Record {
    std::uint32_t epoch = 0;  // the best one
    std::uint64_t seed = 0;
    double loss = 0;  // of what was held out: each person's last item
    double ndcg = 0;  // @10, the same
  };

  std::uint32_t dim = 0, heads = 0, hidden = 0;
  std::uint32_t length = 0;         // items looked at
  std::vector<std::string> ids;     // of each row
  std::vector<float> item_vectors;  // a row of `dim` an item
  std::vector<float> item_bias;
  std::vector<Block> blocks;
  Norm last;
  Record record;
  Position position;

  // Of each row, and back; filled by decode().
  static constexpr std::uint32_t kNoRow = UINT32_MAX;
  std::vector<state::ItemIndex> items;
  std::vector<std::uint32_t> rows;
  std::uint32_t row_of(state::ItemIndex item) const {
    return item < rows.size() ? rows[item] : kNoRow;
  }

  // norm(x_n) for rows, newest last; of more than `length` the newest. `sequence` is not empty.
  std::vector<float> represent(std::span<const std::uint32_t> sequence) const;
  // Of every row.
  std::vector<float> logits(std::span<const float> representation) const;

  ModelFile encode() const;
  // Without the items that `known` does not have. kCorrupt: numbers that do not fit together.
  static Result<SequenceModel> decode(const ModelFile& file, const state::NameTable& known);
};

}  // namespace millrace::processors
