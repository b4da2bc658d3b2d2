#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/pages.h"
#include "state/partition_store.h"

namespace millrace::state {

// The source of events that came by /interactions/track: the only one that a history keeps.
inline constexpr const char* kTrackedSource = "/interactions";

// Adds an event to the person's tail; seals the tail when it has grown past kHistoryPageBytes.
void append_to_history(Person& person, Offset offset, UnixMillis log_time,
                       const InteractionView& interaction, ItemNumber item);

// Log time of the newest entry of a page.
Result<UnixMillis> newest_log_time(std::string_view page);

// Gathers entries that a query asks for, from pages given newest first.
class HistoryGatherer {
 public:
  explicit HistoryGatherer(const HistoryQuery& query) : query_(query) {}

  // Entries are left with the number of their item in `numbers`, in step with `entries`.
  enum class Outcome { kMore, kDone, kOutOfOrder };  // kOutOfOrder: pages of two versions
  Result<Outcome> add_page(std::string_view page);

  std::vector<HistoryItem> entries;
  std::vector<ItemNumber> numbers;

 private:
  HistoryQuery query_;
  Offset last_ = INT64_MAX;
};

}  // namespace millrace::state
