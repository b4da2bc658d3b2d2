#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"

namespace millrace::serving {

// One of a person's interactions: the last of its content and type, since when there is one.
struct Tracked {
  std::uint64_t id = 0;  // of the first of its content and type
  std::string content;
  std::string kind;  // of the content, as the catalog or its id says
  std::string type;
  std::int32_t weight = 0;            // of the type
  std::optional<std::int64_t> value;  // 1-10
  std::string mood;
  std::optional<std::uint32_t> intensity;  // 1-10
  std::optional<std::uint32_t> duration_s;
  std::string context, notes;
  UnixMillis created = 0, updated = 0;
};

// What is asked of a person's interactions. Times are those of `created`, inclusive.
struct TrackedQuery {
  std::string type;  // empty: every type
  UnixMillis from = INT64_MIN;
  UnixMillis to = INT64_MAX;
  bool all = false;  // what did not come by /interactions/track, too
};

// Newest first.
Result<std::vector<Tracked>> tracked_by(const std::string& user, const TrackedQuery& query,
                                        const Deps& deps);

// The seed's object of them; `utc_offset_ms`: the person's time zone.
std::string patterns_body(const std::vector<Tracked>& rows, std::int64_t utc_offset_ms);

// The seed's row, its mood only when asked for.
void append_tracked(JsonWriter& out, std::string_view user, const Tracked& row, bool mood);

// Rows as RFC 4180 with a header; a cell that a spreadsheet would take for a formula is made text.
std::string tracked_csv(std::string_view user, const std::vector<Tracked>& rows, bool mood);

// `contentId` and the item that it is: text that names a kind stays, all else is of kind content.
std::string item_of_content(std::string_view content);

}  // namespace millrace::serving
