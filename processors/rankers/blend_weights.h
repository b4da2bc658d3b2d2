#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace millrace::processors {

// How a request's time lies to what is known of a person.
enum class Moment : std::uint8_t {
  kHere,  // goes on with what they were doing
  kAway,  // comes back after RankingOptions::away_ms or more
  kPast,  // within their history: the last of it tells no more than the rest
};
inline constexpr std::size_t kMoments = 3;

// How much is known of a person, by their positives.
enum class Segment : std::uint8_t { kNew, kLight, kHeavy };
inline constexpr std::size_t kSegments = 3;
inline constexpr std::size_t kLightFrom = 5, kHeavyFrom = 50;  // positives
inline constexpr Segment segment_of(std::size_t positives) {
  return positives < kLightFrom   ? Segment::kNew
         : positives < kHeavyFrom ? Segment::kLight
                                  : Segment::kHeavy;
}

// What each part of the ensemble weighs (rankers/hybrid_ensemble.h), by segment and moment.
struct BlendWeights {
  struct Row {
    double linear = 0;
    double collaborative = 0;
    double session = 0;
    double deep_learning = 0;
    double genre = 0;
    double recent = 0;  // recent popularity
    double growth = 0;  // 0 to 1: how far an item that rises lifts what the other parts say of it
  };
  using Table = std::array<std::array<Row, kMoments>, kSegments>;

  static Table chosen();  // on validation parts of MovieLens' train parts: docs/adr/0024, 25
  Table at = chosen();

  const Row& row(Segment segment, Moment moment) const {
    return at[static_cast<std::size_t>(segment)][static_cast<std::size_t>(moment)];
  }
  Row& row(Segment segment, Moment moment) {
    return at[static_cast<std::size_t>(segment)][static_cast<std::size_t>(moment)];
  }
};

// The parts of the ensemble, THE list: rankers by their names, and "recent".
struct BlendPart {
  std::string_view name;
  double BlendWeights::Row::*weight;
};
inline constexpr BlendPart kBlendParts[] = {
    {"linear", &BlendWeights::Row::linear},
    {"collaborative", &BlendWeights::Row::collaborative},
    {"session", &BlendWeights::Row::session},
    {"deep_learning", &BlendWeights::Row::deep_learning},
    {"genre_weighted", &BlendWeights::Row::genre},
    {"recent", &BlendWeights::Row::recent},
};
inline constexpr std::size_t kBlendPartCount = std::size(kBlendParts);

}  // namespace millrace::processors
