#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

namespace millrace::processors {

// How far down a list a right answer counts.
inline constexpr std::size_t kPrequentialK = 10;

// How good one ranker's predictions were: hit rate and mean reciprocal rank within the first
// kPrequentialK, over all of them and over about the last kRecent (exponentially weighted).
class RankerScore {
 public:
  static constexpr double kRecent = 1'000;

  // Where the list had what the person took to, 0 the first place; nothing: nowhere.
  void add(std::optional<std::size_t> place) {
    const bool hit = place && *place < kPrequentialK;
    const double reciprocal = hit ? 1.0 / static_cast<double>(*place + 1) : 0;
    ++predictions_;
    hits_ += hit ? 1 : 0;
    reciprocal_ += reciprocal;
    recent_weight_ = recent_weight_ * (1 - 1 / kRecent) + 1;
    recent_hits_ = recent_hits_ * (1 - 1 / kRecent) + (hit ? 1 : 0);
    recent_reciprocal_ = recent_reciprocal_ * (1 - 1 / kRecent) + reciprocal;
  }

  std::uint64_t predictions() const { return predictions_; }
  // 0 before any prediction.
  double hit_rate() const { return of(static_cast<double>(hits_), count()); }
  double mrr() const { return of(reciprocal_, count()); }
  double recent_hit_rate() const { return of(recent_hits_, recent_weight_); }
  double recent_mrr() const { return of(recent_reciprocal_, recent_weight_); }

 private:
  double count() const { return static_cast<double>(predictions_); }
  static double of(double sum, double weight) { return weight > 0 ? sum / weight : 0; }

  std::uint64_t predictions_ = 0;
  std::uint64_t hits_ = 0;
  double reciprocal_ = 0;
  double recent_weight_ = 0;
  double recent_hits_ = 0;
  double recent_reciprocal_ = 0;
};

}  // namespace millrace::processors
