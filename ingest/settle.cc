#include "ingest/settle.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

// Nothing about the events is at fault.
bool passes(Code code) {
  return code == Code::kUnavailable || code == Code::kExhausted || code == Code::kTimeout ||
         code == Code::kIo;
}

Status try_records(SourceBatch& batch, const Acceptor& acceptor, std::size_t first,
                   std::size_t count) {
  std::vector<EventOutcome> events;
  std::vector<std::size_t> from;                      // by event, the record it is of
  std::vector<std::pair<std::size_t, Error>> poison;  // by record
  for (std::size_t i = first; i < first + count; ++i) {
    auto parsed = batch.events(i);
    if (!parsed) {
      poison.emplace_back(i, std::move(parsed.error()));
      continue;
    }
    for (auto& event : *parsed) {
      events.push_back(std::move(event));
      from.push_back(i);
    }
  }
  // Shared, because the callback may still be inside set_value when the waiter has its answer.
  const auto promise = std::make_shared<std::promise<Result<Receipt>>>();
  auto answer = promise->get_future();
  acceptor.accept(std::move(events),
                  [promise](Result<Receipt> receipt) { promise->set_value(std::move(receipt)); });
  MILLRACE_TRY(const auto receipt, answer.get());
  for (const auto& rejected : receipt.rejected) {
    poison.emplace_back(from[rejected.index], rejected.error);
  }
  for (const auto& [record, reason] : poison) batch.bury(record, reason);
  return {};
}

// Until everything is in the log or in the dead letters. False: told to stop before.
bool accept_all(SourceBatch& batch, const Acceptor& acceptor) {
  std::size_t first = 0;
  std::size_t count = batch.size();
  bool told = false;
  while (first < batch.size()) {
    const auto tried = try_records(batch, acceptor, first, count);
    if (tried) {
      first += count;
      count = std::min(count, batch.size() - first);
    } else if (passes(tried.error().code)) {
      if (!std::exchange(told, true)) log_warn("events from Kafka wait: " + tried.error().detail);
      if (!batch.pause()) return false;
    } else if (count > 1) {
      count = 1;  // the one that the log does not take is found, the others go in
    } else {
      batch.bury(first++, tried.error());
      count = batch.size() - first;
    }
  }
  return true;
}

}  // namespace

void settle(SourceBatch& batch, const Acceptor& acceptor) {
  while (accept_all(batch, acceptor)) {
    const auto flushed = batch.flush();
    if (flushed) return batch.commit();
    // A batch whose dead letters are not confirmed is done again from its beginning.
    log_warn(flushed.error().detail);
    if (!batch.pause()) return;
  }
}

}  // namespace millrace::ingest
