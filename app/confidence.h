#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace millrace::app {

// What was said of an item that was shown, and what came of it.
struct Forecast {
  double probability = 0;
  bool acted = false;
};

// How good forecasts were.
struct Confidence {
  struct Bin {
    double predicted = 0;  // mean
    double acted = 0;      // share
    std::size_t items = 0;
  };
  std::size_t items = 0;
  double rate = 0;         // share that was acted on
  double ece = 0;          // expected calibration error over the bins (Naeini et al. 2015)
  double brier = 0;        // mean squared error
  double brier_skill = 0;  // 1 - brier / that of the rate for all: a constant has 0
  double auc = 0.5;        // that one acted on was given more than one that was not; ties half
  std::vector<Bin> bins;   // by probability, of equal width, those that are not empty
};
inline constexpr std::size_t kConfidenceBins = 20;
Confidence measure_confidence(std::span<const Forecast> forecasts);

// A reliability diagram: share acted on over probability, and how many items there were.
std::string reliability_svg(const Confidence& confidence, const std::string& title);

// Answers that wait for what comes of them. Times never fall.
class Forecasts {
 public:
  explicit Forecasts(std::int64_t horizon_ms) : horizon_ms_(horizon_ms) {}

  void shown(std::uint32_t user, UnixMillis time, std::span<const std::uint32_t> items,
             std::span<const double> probabilities);
  void acted(std::uint32_t user, std::uint32_t item, UnixMillis time);
  const std::vector<Forecast>& all() const { return all_; }

 private:
  struct Open {
    UnixMillis until = 0;
    std::uint32_t item = 0;
    std::size_t place = 0;  // in all_
  };
  std::int64_t horizon_ms_;
  std::vector<Forecast> all_;
  std::unordered_map<std::uint32_t, std::deque<Open>> open_;  // by person
};

}  // namespace millrace::app
