#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/event.h"
#include "state/items.h"
#include "state/pages.h"
#include "state/pending_rows.h"
#include "state/rocks.h"
#include "state/tracked.h"

namespace millrace::state {

// What is asked of a person's tracked rows. Times are those of `created`, inclusive.
struct TrackedQuery {
  std::uint32_t type = 0;  // 0: every type
  UnixMillis from = 0;
  UnixMillis to = INT64_MAX;
  UnixMillis now = 0;  // rows beyond retention then are not there
  std::vector<TypeRetention> retention;

  UnixMillis since(std::uint32_t of_type) const;  // no row of it was created earlier
  bool wants(std::uint32_t of_type, UnixMillis created) const {
    return (type == 0 || type == of_type) && created <= to && created >= since(of_type);
  }
};

// Every row under `prefix` from the key `from` on, ascending, until `visit` answers false: what is
// pending before what is in the database.
Status scan_with(const Db& db, const PendingRows* pending, std::string_view prefix,
                 std::string_view from,
                 const std::function<bool(std::string_view key, std::string_view value)>& visit);

// A person's row of a type and item, whatever its age.
Result<std::optional<TrackedRow>> find_tracked(const Db& db, const Person& person,
                                               std::string_view user, std::uint32_t type,
                                               std::string_view item);
// A person's sums as they are stored: of a week, and all of them.
Result<std::vector<TrackedSums>> sums_of_week(const Db& db, const Person& person,
                                              std::string_view user, std::uint32_t week);
Result<std::vector<TrackedSums>> stored_sums(const Db& db, const Person& person,
                                             std::string_view user);
// Calls `visit` with a person's rows of ids in [from, below), newest first, until it answers false.
Status each_tracked(const Db& db, const Person& person, std::string_view user, Offset from,
                    Offset below, const std::function<bool(const TrackedRow&)>& visit);

// Reads the tracked rows of one version of a person; rows that are replaced while it is used may
// show as they are by then. Any thread.
class TrackedReader {
 public:
  TrackedReader(const Db& db, const Items& items, std::string user,
                std::shared_ptr<const Person> person)
      : db_(db), items_(items), user_(std::move(user)), person_(std::move(person)) {}

  Result<std::optional<TrackedRow>> find(std::uint32_t type, std::string_view item) const;
  // Whole days from sums, days that the query cuts from their rows. Ascending by day and type.
  Result<std::vector<TrackedSums>> sums(const TrackedQuery& query) const;
  // Newest first, below the id `below`.
  Result<std::vector<TrackedRow>> rows(const TrackedQuery& query, Offset below, std::size_t skip,
                                       std::size_t limit) const;
  // The same with `skip` counted from the newest, where `sums` are the query's: days that are
  // skipped as a whole are not read.
  Result<std::vector<TrackedRow>> page(const TrackedQuery& query,
                                       const std::vector<TrackedSums>& sums, std::size_t skip,
                                       std::size_t limit) const;
  std::string_view item(const TrackedRow& row) const { return items_.name(row.item); }

 private:
  const Db& db_;
  const Items& items_;
  std::string user_;
  std::shared_ptr<const Person> person_;  // null: nobody
};

}  // namespace millrace::state
