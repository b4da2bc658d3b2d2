#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/event.h"
#include "schemas/interaction_view.h"
#include "state/items.h"
#include "state/pages.h"
#include "state/rocks.h"
#include "state/tracked_read.h"

namespace millrace::state {

// Changes the tracked rows of a person: their pending rows, over what the database has. The
// writer's.
class TrackedWriter {
 public:
  TrackedWriter(const Db& db, const Items& items, std::string user, Person& person)
      : db_(db), items_(items), user_(std::move(user)), person_(person) {}

  // Makes the interaction the row of its type and item: a new one, where there is none within
  // retention (`keep_ms`; 0: for ever).
  Status track(Offset offset, UnixMillis log_time, const InteractionView& interaction,
               ItemNumber item, std::int64_t keep_ms);
  // Rows of days that are wholly beyond retention go.
  Status expire(Offset offset, UnixMillis log_time, std::span<const TypeRetention> retention);

 private:
  Status change(Offset offset, const TrackedRow* before, const TrackedRow* after);
  void put(Offset offset, std::string key, std::optional<std::string> value);
  void put_week(Offset offset, std::uint32_t week, const std::vector<TrackedSums>& sums);

  const Db& db_;
  const Items& items_;
  const std::string user_;
  Person& person_;
};

// Whether all of a day of rows is beyond retention.
bool expired(const TrackedSums& sums, UnixMillis now, std::span<const TypeRetention> retention);

}  // namespace millrace::state
