#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/interaction_view.h"
#include "state/row_page.h"

namespace millrace::state {

// What came by /interactions/track, as facts: a row for each item and type of a person, and sums
// over them by day and type, so that what is asked of many rows needs few reads.

inline constexpr UnixMillis kDayMs = 86'400'000;
inline constexpr UnixMillis kQuarterMs = 900'000;

// The last interaction of its person, item and type.
struct TrackedRow {
  Offset id = 0;           // of the first of them
  UnixMillis created = 0;  // log time of the first; never falls with the id
  UnixMillis updated = 0;  // log time of the last
  std::uint32_t type = 0;
  ItemNumber item = 0;
  std::int32_t weight = 0;  // of the type, when it came
  std::optional<std::int32_t> value_centi;
  std::optional<std::uint32_t> duration_s;
  std::string mood;
  std::optional<std::uint32_t> intensity;
  std::string context;
  std::string notes;
  friend bool operator==(const TrackedRow&, const TrackedRow&) = default;
};

// As /interactions counts: 1 to 10. Stars are half of that.
std::optional<std::int64_t> tracked_value(const TrackedRow& row);

// What the rows of one day (of `created`, UTC) and type come to. Integers, so that a row can be
// taken away again; those of moods are what Pearson's correlation needs of x, the intensity, and
// y, the value or, without one, the weight.
struct TrackedSums {
  std::uint32_t day = 0;  // since 1970
  std::uint32_t type = 0;
  Offset first = 0;         // no row of it has a lower id
  UnixMillis earliest = 0;  // `created` of the first row and of the last one
  UnixMillis latest = 0;
  std::uint64_t count = 0;
  std::uint64_t timed = 0;  // rows with a duration, and their seconds
  std::uint64_t seconds = 0;
  std::uint64_t moods = 0;  // rows with an intensity
  std::int64_t x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>>
      quarters{};                                              // of an hour: 0 to 95; ascending
  std::vector<std::pair<std::string, std::uint64_t>> kinds{};  // ascending; no zero counts
  friend bool operator==(const TrackedSums&, const TrackedSums&) = default;
};

// The kind that an item's id names.
std::string_view kind_of_id(std::string_view item);

// Adds (sign 1) or takes away (sign -1) a row; sums that come to no rows go. `sums`: ascending by
// day and type.
void contribute(std::vector<TrackedSums>& sums, const TrackedRow& row, std::string_view kind,
                int sign);

// Stored bytes (schemas/proto/state.proto) and back; kCorrupt for what no writer has written.
std::string encode(const TrackedRow& row);
Result<TrackedRow> decode_tracked_row(std::string_view bytes, Offset id);
std::string encode(const std::vector<TrackedSums>& sums);
Result<std::vector<TrackedSums>> decode_tracked_sums(std::string_view bytes);

inline std::uint32_t day_of(UnixMillis time) { return static_cast<std::uint32_t>(time / kDayMs); }
inline std::uint32_t week_of(std::uint32_t day) { return day / 7; }

}  // namespace millrace::state
