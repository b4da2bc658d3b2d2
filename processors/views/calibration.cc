#include "processors/views/calibration.h"

#include <algorithm>
#include <cmath>

namespace millrace::processors {
namespace {

constexpr double kMostScores = 100'000;       // then the older half counts half
constexpr double kForget = 1 - 1.0 / 50'000;  // so that what changes is followed
constexpr double kPriorVariance = 0.5;        // of a weight: about twenty outcomes at one in ten
constexpr double kFirst = 0.1;  // of acting on the first item, before anything is known
constexpr std::size_t kMostSegments = 64;
constexpr bool kNeverFalls[] = {false, true, true, false, false, false, false, true};  // by weight

double logit(double p) { return std::log(p / (1 - p)); }

}  // namespace

std::size_t ScoreScale::cell_of(double score) {
  if (score == 0 || std::isnan(score)) return kSide;
  int exponent = 0;
  const double mantissa = std::frexp(std::min(std::abs(score), 1e300), &exponent);  // 0.5 to 1
  const int part = static_cast<int>((mantissa - 0.5) * 2 * kPerOctave);
  const int place = std::clamp((exponent + kOctaves) * kPerOctave + part, 0, kSide - 1) + 1;
  return static_cast<std::size_t>(score > 0 ? kSide + place : kSide - place);
}

void ScoreScale::add(double score) {
  if (total_ >= kMostScores) {
    for (float& count : counts_) count /= 2;
    total_ /= 2;
  }
  counts_[cell_of(score)] += 1;
  total_ += 1;
}

double ScoreScale::quantile(double score) const {
  if (total_ == 0) return 0.5;
  const auto cell = cell_of(score);
  double below = 0;
  for (std::size_t i = 0; i < cell; ++i) below += static_cast<double>(counts_[i]);
  return std::min(1.0, (below + static_cast<double>(counts_[cell]) / 2) / total_);
}

Calibration::Segment Calibration::prior() {
  Segment out{{logit(kFirst), 1, 1}, {}};
  for (std::size_t i = 0; i < kWeights; ++i) out.covariance[i][i] = kPriorVariance;
  return out;
}

// Of the rank as search's gains have it (Järvelin and Kekäläinen 2002), 0 at the first place.
Calibration::Vector Calibration::features(const Segment& segment, const ShownItem& item) {
  const double rank = -std::log(std::log2(2.0 + item.rank));
  const double score = segment.scale.quantile(item.score) - 0.5;
  return {1, rank, score, item.now, item.lately, item.before, item.session, item.taken};
}

double Calibration::value(const Segment& segment, const Vector& x) {
  double z = 0;
  for (std::size_t i = 0; i < kWeights; ++i) z += segment.weights[i] * x[i];
  return 1 / (1 + std::exp(-std::clamp(z, -30.0, 30.0)));
}

void Calibration::step(Segment& segment, const ShownItem& item, bool acted) {
  const auto x = features(segment, item);
  const double p = value(segment, x);
  const double error = (acted ? 1 : 0) - p;
  auto& covariance = segment.covariance;
  Vector gain{};  // covariance * x
  double known = 0;
  for (std::size_t i = 0; i < kWeights; ++i) {
    for (std::size_t j = 0; j < kWeights; ++j) gain[i] += covariance[i][j] * x[j];
    known += gain[i] * x[i];
  }
  const double weight = p * (1 - p);
  const double scale = weight / (kForget + weight * known);
  Vector shrink{};  // what nothing is heard of is not forgotten beyond the prior
  for (std::size_t i = 0; i < kWeights; ++i) {
    const double variance = (covariance[i][i] - scale * gain[i] * gain[i]) / kForget;
    shrink[i] = variance > kPriorVariance ? std::sqrt(kPriorVariance / variance) : 1;
  }
  for (std::size_t i = 0; i < kWeights; ++i) {
    for (std::size_t j = 0; j < kWeights; ++j) {
      const double kept = (covariance[i][j] - scale * gain[i] * gain[j]) / kForget;
      covariance[i][j] = kept * shrink[i] * shrink[j];
    }
  }
  for (std::size_t i = 0; i < kWeights; ++i) {
    segment.weights[i] += gain[i] * error / (kForget + weight * known);
    if (kNeverFalls[i]) segment.weights[i] = std::max(0.0, segment.weights[i]);
  }
  segment.scale.add(item.score);
}

const Calibration::Segment& Calibration::segment(std::string_view algorithm) const {
  const auto found = segments_.find(algorithm);
  return found != segments_.end() ? found->second : all_;
}

double Calibration::probability(std::string_view algorithm, const ShownItem& item) const {
  const Segment& of = segment(algorithm);
  return value(of, features(of, item));
}

void Calibration::learn(std::string_view algorithm, const ShownItem& item, bool acted) {
  ++outcomes_;
  auto found = segments_.find(algorithm);
  if (found == segments_.end() && segments_.size() < kMostSegments) {
    Segment fresh = prior();
    fresh.weights = all_.weights;
    found = segments_.emplace(std::string(algorithm), fresh).first;
  }
  if (found != segments_.end()) step(found->second, item, acted);
  step(all_, item, acted);
}

}  // namespace millrace::processors
