// SequenceModel's arithmetic: the one place where rankers' requests meet Eigen.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "processors/training/sequence_model.h"

namespace millrace::processors {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;
using MatrixView = Eigen::Map<const Matrix>;
using VectorView = Eigen::Map<const Vector>;

constexpr float kNormEpsilon = 1e-5f;  // libtorch's

VectorView view(const std::vector<float>& numbers) {
  return {numbers.data(), static_cast<Eigen::Index>(numbers.size())};
}
MatrixView rows_of(const std::vector<float>& numbers, std::size_t rows) {
  return {numbers.data(), static_cast<Eigen::Index>(rows),
          static_cast<Eigen::Index>(numbers.size() / rows)};
}

Matrix apply(const SequenceModel::Norm& norm, const Matrix& x) {
  Matrix out(x.rows(), x.cols());
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    const auto centred = (x.row(t).array() - x.row(t).mean()).eval();
    const float spread = std::sqrt(centred.square().mean() + kNormEpsilon);
    out.row(t) = centred / spread * view(norm.scale).transpose().array() +
                 view(norm.shift).transpose().array();
  }
  return out;
}

Matrix apply(const SequenceModel::Linear& linear, const Matrix& x) {
  Matrix out = x * rows_of(linear.weight, linear.bias.size()).transpose();
  out.rowwise() += view(linear.bias).transpose();
  return out;
}

// What the rows from `first` on gather from all rows before them and themselves.
Matrix attend(const SequenceModel& model, const SequenceModel::Block& block, const Matrix& normed,
              Eigen::Index first) {
  const auto n = normed.rows();
  const auto width = static_cast<Eigen::Index>(model.dim / model.heads);
  const Matrix query = apply(block.query, normed.bottomRows(n - first));
  const Matrix key = apply(block.key, normed), value = apply(block.value, normed);
  const auto distance = rows_of(block.distance, model.heads);
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  Matrix gathered(n - first, static_cast<Eigen::Index>(model.dim));
  for (Eigen::Index h = 0; h < distance.rows(); ++h) {
    const auto from = h * width;
    for (Eigen::Index t = first; t < n; ++t) {
      Vector weight = key.block(0, from, t + 1, width) *
                      query.row(t - first).segment(from, width).transpose() * scale;
      for (Eigen::Index s = 0; s <= t; ++s) weight[s] += distance(h, t - s);
      weight = (weight.array() - weight.maxCoeff()).exp();
      weight /= weight.sum();
      gathered.row(t - first).segment(from, width) =
          weight.transpose() * value.block(0, from, t + 1, width);
    }
  }
  return apply(block.out, gathered);
}

}  // namespace

std::vector<float> SequenceModel::represent(std::span<const std::uint32_t> sequence) const {
  if (sequence.size() > length) sequence = sequence.last(length);
  const auto table = rows_of(item_vectors, ids.size());
  Matrix x(static_cast<Eigen::Index>(sequence.size()), static_cast<Eigen::Index>(dim));
  for (std::size_t t = 0; t < sequence.size(); ++t) {
    x.row(static_cast<Eigen::Index>(t)) = table.row(sequence[t]);
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    // Of the last block only the last row is asked for.
    const auto first = b + 1 == blocks.size() ? x.rows() - 1 : 0;
    const Matrix normed = apply(blocks[b].attention_norm, x);
    Matrix rest = x.bottomRows(x.rows() - first) + attend(*this, blocks[b], normed, first);
    const Matrix fed = apply(blocks[b].up, apply(blocks[b].feed_norm, rest)).cwiseMax(0);
    rest += apply(blocks[b].down, fed);
    x = std::move(rest);
  }
  const Matrix out = apply(last, x.bottomRows(1));
  return {out.data(), out.data() + out.size()};
}

std::vector<float> SequenceModel::logits(std::span<const float> representation) const {
  std::vector<float> out(ids.size());
  const VectorView point(representation.data(), static_cast<Eigen::Index>(representation.size()));
  Eigen::Map<Vector>(out.data(), static_cast<Eigen::Index>(out.size())).noalias() =
      rows_of(item_vectors, ids.size()) * point + view(item_bias);
  return out;
}

}  // namespace millrace::processors
