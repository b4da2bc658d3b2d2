#include "state/tracked_read.h"

#include <algorithm>
#include <set>

#include "state/keys.h"

namespace millrace::state {
namespace {

Result<std::optional<std::string>> get_with(const Db& db, const PendingRows* pending,
                                            const std::string& key) {
  if (pending != nullptr) {
    const auto found = pending->rows.find(key);
    if (found != pending->rows.end()) return found->second.value;
  }
  return db.get(key);
}

// No row of a later day than `day` has a lower id.
Offset end_of_day(const std::vector<TrackedSums>& sums, std::uint32_t day) {
  Offset end = INT64_MAX;
  for (auto at = sums.rbegin(); at != sums.rend() && at->day > day; ++at) {
    end = std::min(end, at->first);
  }
  return end;
}

// No row of this day has a lower id, nor has one of a later day.
Offset begin_of_day(const std::vector<TrackedSums>& sums, std::uint32_t day) {
  Offset begin = INT64_MAX;
  for (auto at = sums.rbegin(); at != sums.rend() && at->day >= day; ++at) {
    begin = std::min(begin, at->first);
  }
  return begin;
}

}  // namespace

UnixMillis TrackedQuery::since(std::uint32_t of_type) const {
  for (const auto& [number, ms] : retention) {
    if (number == of_type) return std::max(from, now - ms);
  }
  return from;
}

Status scan_with(const Db& db, const PendingRows* pending, std::string_view prefix,
                 std::string_view from,
                 const std::function<bool(std::string_view, std::string_view)>& visit) {
  static const PendingRows none;
  const auto& rows = pending == nullptr ? none.rows : pending->rows;
  auto at = rows.lower_bound(std::max(prefix, from));
  bool more = true;
  const auto waits = [&] { return more && at != rows.end() && at->first.starts_with(prefix); };
  const auto take = [&] {
    const auto& [key, row] = *at++;
    if (row.value) more = visit(key, *row.value);
  };
  MILLRACE_CHECK(db.scan(prefix, from, [&](std::string_view key, std::string_view value) {
    while (waits() && at->first < key) take();
    if (waits() && at->first == key) {
      take();
    } else if (more) {
      more = visit(key, value);
    }
    return more;
  }));
  while (waits()) take();
  return {};
}

Result<std::optional<TrackedRow>> find_tracked(const Db& db, const Person& person,
                                               std::string_view user, std::uint32_t type,
                                               std::string_view item) {
  const auto* pending = person.tracked.get();
  MILLRACE_TRY(const auto place, get_with(db, pending, keys::tracked_place(user, type, item)));
  if (!place) return std::nullopt;
  const auto id = keys::id_of_tracked_row(*place);
  if (id < person.born) return std::nullopt;
  MILLRACE_TRY(const auto row, get_with(db, pending, *place));
  if (!row) return std::nullopt;
  MILLRACE_TRY(auto found, decode_tracked_row(*row, id));
  return found;
}

Result<std::vector<TrackedSums>> sums_of_week(const Db& db, const Person& person,
                                              std::string_view user, std::uint32_t week) {
  MILLRACE_TRY(const auto bytes,
               get_with(db, person.tracked.get(), keys::tracked_week(user, week)));
  if (!bytes) return std::vector<TrackedSums>();
  MILLRACE_TRY(auto sums, decode_tracked_sums(*bytes));
  std::erase_if(sums, [&](const TrackedSums& one) { return one.first < person.born; });
  return sums;
}

Result<std::vector<TrackedSums>> stored_sums(const Db& db, const Person& person,
                                             std::string_view user) {
  std::vector<TrackedSums> all;
  Status read;
  MILLRACE_CHECK(scan_with(db, person.tracked.get(), keys::tracked_sums(user), {},
                           [&](std::string_view, std::string_view value) {
                             auto week = decode_tracked_sums(value);
                             if (!week) read = tl::unexpected<Error>(week.error());
                             if (!week) return false;
                             for (auto& sums : *week) {
                               if (sums.first >= person.born) all.push_back(std::move(sums));
                             }
                             return true;
                           }));
  MILLRACE_CHECK(read);
  return all;
}

Status each_tracked(const Db& db, const Person& person, std::string_view user, Offset from,
                    Offset below, const std::function<bool(const TrackedRow&)>& visit) {
  if (below <= 0) return {};
  from = std::max(from, person.born);
  Status read;
  MILLRACE_CHECK(scan_with(db, person.tracked.get(), keys::tracked_rows(user),
                           keys::tracked_row(user, below - 1),
                           [&](std::string_view key, std::string_view value) {
                             const auto id = keys::id_of_tracked_row(key);
                             if (id < from) return false;
                             const auto row = decode_tracked_row(value, id);
                             if (!row) read = tl::unexpected<Error>(row.error());
                             return row && visit(*row);
                           }));
  return read;
}

Result<std::optional<TrackedRow>> TrackedReader::find(std::uint32_t type,
                                                      std::string_view item) const {
  if (!person_) return std::nullopt;
  return find_tracked(db_, *person_, user_, type, item);
}

Result<std::vector<TrackedSums>> TrackedReader::sums(const TrackedQuery& query) const {
  std::vector<TrackedSums> out;
  if (!person_) return out;
  MILLRACE_TRY(const auto all, stored_sums(db_, *person_, user_));
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut;  // days and types
  for (const auto& sums : all) {
    if (query.type != 0 && sums.type != query.type) continue;
    const UnixMillis begin = sums.day * kDayMs, end = begin + kDayMs - 1;
    const auto since = query.since(sums.type);
    if (since <= begin && query.to >= end) {
      out.push_back(sums);
    } else if (since <= end && query.to >= begin) {
      cut.emplace(sums.day, sums.type);
    }
  }
  for (auto at = cut.begin(); at != cut.end();) {
    const auto day = at->first;
    MILLRACE_CHECK(each_tracked(db_, *person_, user_, begin_of_day(all, day), end_of_day(all, day),
                                [&](const TrackedRow& row) {
                                  const bool wanted = day_of(row.created) == day &&
                                                      cut.contains({day, row.type}) &&
                                                      query.wants(row.type, row.created);
                                  if (wanted) contribute(out, row, kind_of_id(item(row)), 1);
                                  return true;
                                }));
    at = cut.lower_bound({day + 1, 0});
  }
  return out;
}

Result<std::vector<TrackedRow>> TrackedReader::rows(const TrackedQuery& query, Offset below,
                                                    std::size_t skip, std::size_t limit) const {
  std::vector<TrackedRow> out;
  if (!person_ || limit == 0) return out;
  MILLRACE_CHECK(each_tracked(db_, *person_, user_, 0, below, [&](const TrackedRow& row) {
    if (row.created < query.from) return false;
    if (!query.wants(row.type, row.created)) return true;
    if (skip > 0) {
      --skip;
      return true;
    }
    out.push_back(row);
    return out.size() < limit;
  }));
  return out;
}

Result<std::vector<TrackedRow>> TrackedReader::page(const TrackedQuery& query,
                                                    const std::vector<TrackedSums>& sums,
                                                    std::size_t skip, std::size_t limit) const {
  if (sums.empty()) return std::vector<TrackedRow>();
  Offset below = INT64_MAX;
  for (auto at = sums.rbegin(); at != sums.rend();) {
    const auto day = at->day;
    std::uint64_t count = 0;
    Offset first = INT64_MAX;
    for (; at != sums.rend() && at->day == day; ++at) {
      count += at->count;
      first = std::min(first, at->first);
    }
    if (count > skip) break;
    skip -= count;
    below = first;
  }
  return rows(query, below, skip, limit);
}

}  // namespace millrace::state
