#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace millrace::processors {

// An item at its place in an answer.
struct ShownItem {
  std::uint32_t rank = 0;  // 0: the first
  double score = 0;        // the ranker's
  // Of its person: log(1 + acts), those of about the last five minutes, half hour and month, and
  // log(1 + minutes) since their session began.
  double now = 0;
  double lately = 0;
  double before = 0;
  double session = 0;
  double taken =
      0;  // log of the odds that it is acted on where it is shown, over those of all items
};

// Where a score lies among those seen before, of one algorithm: a histogram over the score's
// logarithm (four cells for each doubling), older scores weighing less and less. Not thread-safe.
class ScoreScale {
 public:
  void add(double score);
  // 0 to 1, never falling with the score; 0.5 while nothing was seen. Half of the scores in its own
  // cell count as lower.
  double quantile(double score) const;

 private:
  static constexpr int kOctaves = 16;  // on either side of 1
  static constexpr int kPerOctave = 4;
  static constexpr int kSide = 2 * kOctaves * kPerOctave;  // cells of positive scores
  static constexpr std::size_t kCells = 2 * kSide + 1;     // negative, zero, positive

  static std::size_t cell_of(double score);

  std::array<float, kCells> counts_{};
  double total_ = 0;
};

// The probability that a person acts on an item that an answer shows them: a logistic regression
// for each algorithm (Platt, "Probabilistic outputs for support vector machines", 1999) on all that
// ShownItem says, the score as its quantile, learned outcome by outcome with Newton steps whose
// Hessian forgets (recursive least squares: Ljung, "System identification", 1999). The weights of
// rank, score and `taken` stay at or above 0, so that it never rises with the rank nor falls with
// the score. An algorithm begins where all of them together are; before any outcome that is the
// prior: one in ten at the first place, falling as 1/log2(2 + rank) does. Not thread-safe.
class Calibration {
 public:
  // Between 0 and 1, neither included.
  double probability(std::string_view algorithm, const ShownItem& item) const;
  // What came of it.
  void learn(std::string_view algorithm, const ShownItem& item, bool acted);
  std::uint64_t outcomes() const { return outcomes_; }

 private:
  static constexpr std::size_t kWeights = 8;  // of 1, and of ShownItem in its order
  using Vector = std::array<double, kWeights>;
  struct Segment {
    Vector weights;
    std::array<Vector, kWeights> covariance;  // of the weights: the Hessian's inverse
    ScoreScale scale{};
  };

  static Segment prior();
  static Vector features(const Segment& segment, const ShownItem& item);
  static double value(const Segment& segment, const Vector& x);
  static void step(Segment& segment, const ShownItem& item, bool acted);
  const Segment& segment(std::string_view algorithm) const;

  Segment all_ = prior();
  std::map<std::string, Segment, std::less<>> segments_;
  std::uint64_t outcomes_ = 0;
};

}  // namespace millrace::processors
