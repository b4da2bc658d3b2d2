#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::state {

// Answers that recommended something, and those of them whose items were clicked or acted on.
struct AttributionCounts {
  std::uint64_t served = 0;
  std::uint64_t clicked = 0;
  std::uint64_t acted = 0;
  friend bool operator==(const AttributionCounts&, const AttributionCounts&) = default;
};

struct AttributionRow {
  std::int32_t hour = 0;  // of log time, since 1970; of the recent ones the minute
  std::string algorithm;
  AttributionCounts counts;
  friend bool operator==(const AttributionRow&, const AttributionRow&) = default;
};

inline constexpr std::int32_t kAttributionDays = 31;  // kept, counted back from the newest

// How counts lie in stored rows: so many hours (or minutes) in each, and so many rows are kept,
// counted back from the newest.
struct AttributionSpan {
  std::int32_t per_row = 24;
  std::int32_t rows = kAttributionDays;
};
// By hour of the answers and by algorithm: what came of them, whenever it came.
inline constexpr AttributionSpan kByHour{};
// By minute, of all algorithms (""): what happened in that minute, a day and an hour back.
inline constexpr AttributionSpan kByMinute{60, 26};

// The attribution's part of a commit.
struct FrozenAttribution {
  // By the number of the stored row (since 1970); none: it has gone.
  std::map<std::int32_t, std::vector<AttributionRow>> rows;
};

// A partition's attribution. read() is thread-safe; the rest is the writer's.
class Attribution {
 public:
  explicit Attribution(const AttributionSpan& span = kByHour) : span_(span) {}

  void restore(const std::vector<AttributionRow>& row);

  // One more answer of that hour has come to `step`. Those of rows that have gone do not count.
  void count(std::int32_t hour, std::string_view algorithm, std::uint64_t AttributionCounts::*step);
  FrozenAttribution freeze();

  // Hours [from, to), ascending by hour and algorithm.
  std::vector<AttributionRow> read(std::int32_t from, std::int32_t to) const;

 private:
  using Key = std::pair<std::int32_t, std::string>;
  mutable std::mutex lock_;
  std::map<Key, AttributionCounts> rows_;
  const AttributionSpan span_;
  std::set<std::int32_t> dirty_;  // stored rows changed since the last freeze
};

}  // namespace millrace::state
