#pragma once
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/history.h"
#include "state/items.h"
#include "state/people.h"
#include "state/rocks.h"

namespace millrace::state {

// Reads a person's history beside the writer. Any thread.
struct HistoryReader {
  const Db& db;
  const People& people;
  const Items& items;

  Result<std::vector<HistoryItem>> read(std::string_view user, const HistoryQuery& query) const;
};

// Drops the sealed pages whose newest entry is older than `log_time`. The writer's.
Status drop_old_history(const Db& db, std::string_view user, Person& person, UnixMillis log_time);

}  // namespace millrace::state
