#include "ingest/event_log.h"

#include <future>
#include <memory>

namespace millrace::ingest {

std::optional<std::size_t> slot_of(LogPartition partition, std::uint16_t interaction_partitions) {
  switch (partition.topic) {
    case Topic::kInteractions:
      if (partition.index < interaction_partitions) return partition.index;
      return std::nullopt;
    case Topic::kCatalog:
      if (partition.index == 0) return interaction_partitions;
      return std::nullopt;
  }
  return std::nullopt;
}

void EventLog::fresh_end(std::function<void(std::optional<Position>)> done) const {
  Position position;
  const auto include = [&](LogPartition partition) {
    if (const auto at = end(partition); at > 0) position.include(partition, at - 1);
  };
  for (std::uint16_t p = 0; p < interaction_partitions(); ++p) include({Topic::kInteractions, p});
  include(kCatalogPartition);
  done(std::move(position));
}

AppendResult EventLog::append_and_wait(std::vector<Append> records) {
  // Shared, because the callback may still be inside set_value when the waiter has its answer.
  auto promise = std::make_shared<std::promise<AppendResult>>();
  auto answer = promise->get_future();
  append(std::move(records),
         [promise](AppendResult result) { promise->set_value(std::move(result)); });
  return answer.get();
}

}  // namespace millrace::ingest
