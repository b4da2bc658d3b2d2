#include "processors/prequential/blend_learner.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

namespace millrace::processors {
namespace {

constexpr double kSharpness = 6;
constexpr double kStep = 0.05;
constexpr double kSteady = 200;  // predictions after which steps begin to shrink
constexpr double kLeast = 0.02;  // of a row's sum
constexpr double kMost = 4;      // times what it began at

}  // namespace

BlendLearner::BlendLearner() {
  const auto chosen = BlendWeights::chosen();
  for (std::size_t s = 0; s < kSegments; ++s) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      Row& row = rows_[s][m];
      for (const auto& part : kBlendParts) row.sum += chosen[s][m].*part.weight;
      double sum = 0;
      for (std::size_t p = 0; p < kBlendPartCount; ++p) {
        row.first[p] = std::max(kLeast, chosen[s][m].*kBlendParts[p].weight / row.sum);
        sum += row.first[p];
      }
      for (double& one : row.first) one /= sum;
      row.weights = row.first;
    }
  }
}

// Of the logarithm of the likelihood, by each weight; all 0 where no part named the item.
BlendLearner::Vector BlendLearner::gradient(const BlendShares& shares, state::ItemIndex took_to,
                                            const Vector& weights) {
  std::unordered_map<state::ItemIndex, Vector> items;
  for (const auto& share : shares.shares) items[share.item][share.part] = share.value;
  const auto truth = items.find(took_to);
  Vector out{};
  if (truth == items.end()) return out;
  double mass = 0;
  for (const auto& [item, values] : items) {
    double score = 0;
    for (std::size_t p = 0; p < kBlendPartCount; ++p) score += weights[p] * values[p];
    const double likely = std::exp(kSharpness * score);
    mass += likely;
    for (std::size_t p = 0; p < kBlendPartCount; ++p) out[p] -= likely * values[p];
  }
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    out[p] = kSharpness * (truth->second[p] + out[p] / mass);
  }
  return out;
}

// What a bound takes or gives, those within theirs give or take in proportion.
void BlendLearner::bound(Row& row) {
  std::array<bool, kBlendPartCount> fixed{};
  for (std::size_t round = 0; round < kBlendPartCount; ++round) {
    double held = 0, free = 0;
    for (std::size_t p = 0; p < kBlendPartCount; ++p) (fixed[p] ? held : free) += row.weights[p];
    if (free <= 0) break;
    bool all = true;
    for (std::size_t p = 0; p < kBlendPartCount; ++p) {
      if (fixed[p]) continue;
      const double scaled = row.weights[p] * (1 - held) / free;
      row.weights[p] = std::clamp(scaled, kLeast, std::max(kLeast, kMost * row.first[p]));
      fixed[p] = row.weights[p] != scaled;
      all = all && !fixed[p];
    }
    if (all) break;
  }
}

void BlendLearner::learn(const BlendShares& shares, state::ItemIndex took_to) {
  Row& row =
      rows_[static_cast<std::size_t>(shares.segment)][static_cast<std::size_t>(shares.moment)];
  ++row.predictions;
  std::array<bool, kBlendPartCount> said{};
  for (const auto& share : shares.shares) said[share.part] = true;
  const auto by = gradient(shares, took_to, row.weights);
  if (by == Vector{}) return;
  const double step = kStep / std::sqrt(1 + static_cast<double>(row.predictions) / kSteady);
  double before = 0, after = 0;
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    if (!said[p]) continue;
    before += row.weights[p];
    row.weights[p] *= std::exp(step * by[p]);
    after += row.weights[p];
  }
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    if (said[p]) row.weights[p] *= before / after;
  }
  bound(row);
}

BlendWeights BlendLearner::weights() const {
  BlendWeights out;
  for (std::size_t s = 0; s < kSegments; ++s) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      const Row& row = rows_[s][m];
      if (row.predictions < kFewest) continue;
      for (std::size_t p = 0; p < kBlendPartCount; ++p) {
        out.at[s][m].*kBlendParts[p].weight = row.weights[p] * row.sum;
      }
    }
  }
  return out;
}

std::uint64_t BlendLearner::predictions(Segment segment, Moment moment) const {
  return rows_[static_cast<std::size_t>(segment)][static_cast<std::size_t>(moment)].predictions;
}

void BlendLearner::restore(Segment segment, Moment moment, const BlendWeights::Row& weights,
                           std::uint64_t predictions) {
  if (predictions < kFewest) return;
  Row& row = rows_[static_cast<std::size_t>(segment)][static_cast<std::size_t>(moment)];
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    row.weights[p] = weights.*kBlendParts[p].weight / row.sum;
  }
  bound(row);
  row.predictions = predictions;
}

double largest_change(const BlendWeights& one, const BlendWeights& other) {
  double most = 0;
  for (std::size_t s = 0; s < kSegments; ++s) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      double sum = 0, change = 0;
      for (const auto& part : kBlendParts) {
        sum += one.at[s][m].*part.weight;
        change =
            std::max(change, std::abs(one.at[s][m].*part.weight - other.at[s][m].*part.weight));
      }
      if (sum > 0) most = std::max(most, change / sum);
    }
  }
  return most;
}

}  // namespace millrace::processors
