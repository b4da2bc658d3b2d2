#include "processors/publisher.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "base/clock.h"

namespace millrace::processors {
namespace {

// Lists are at most this far behind pages; while a writer catches up, the larger bound holds,
// because touching every list for every batch of a replay would cost more than applying it.
constexpr std::int64_t kLiveIntervalUs = 1'000;
constexpr std::int64_t kCatchUpIntervalUs = 100'000;
constexpr std::int64_t kCatchUpShare = 20;  // and lists take at most 1/20 of the time
constexpr std::int64_t kIdleUs = 1'000'000;

std::vector<state::ItemIndex> distinct(std::vector<state::ItemIndex> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

}  // namespace

Publisher::Publisher(std::uint16_t partitions, UpdateLists update_lists, Metrics& metrics,
                     Drive drive, std::function<void()> moved)
    : partitions_(partitions),
      update_lists_(std::move(update_lists)),
      moved_(std::move(moved)),
      wait_seconds_(
          metrics.histogram("ryw_wait_seconds", "Time that requests waited for a position.")),
      timeouts_(
          metrics.counter("ryw_timeout_total", "Requests whose position was not reached in time.")),
      visible_(partitions + std::size_t{1}) {
  if (drive == Drive::kThread) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
}

Publisher::~Publisher() {
  thread_.request_stop();
  changed_.notify_all();
}

std::atomic<Offset>& Publisher::slot(LogPartition partition) {
  return visible_[partition.topic == Topic::kCatalog ? partitions_ : partition.index];
}

const std::atomic<Offset>& Publisher::slot(LogPartition partition) const {
  return visible_[partition.topic == Topic::kCatalog ? partitions_ : partition.index];
}

Offset Publisher::visible(LogPartition partition) const {
  return slot(partition).load(std::memory_order_acquire);
}

Position Publisher::position() const {
  Position position;
  for (std::uint16_t p = 0; p < partitions_; ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    if (visible(partition) > 0) position.include(partition, visible(partition) - 1);
  }
  if (visible(kCatalogPartition) > 0) {
    position.include(kCatalogPartition, visible(kCatalogPartition) - 1);
  }
  return position;
}

bool Publisher::reached(const Position& position) const {
  return std::all_of(position.at().begin(), position.at().end(), [this](const auto& entry) {
    const auto& [partition, offset] = entry;
    const bool known =
        partition.topic == Topic::kCatalog ? partition.index == 0 : partition.index < partitions_;
    return known && visible(partition) > offset;
  });
}

// Whether the thread must be woken for something that is due then. It is not for what can wait
// until it gets up anyway: on few cores each needless wake-up takes the place of real work.
bool Publisher::shorten_sleep(std::int64_t due_us) const { return due_us < asleep_until_us_; }

void Publisher::offer(LogPartition partition, Offset next_offset,
                      std::vector<state::ItemIndex> touched, bool behind) {
  bool earlier = false;
  {
    const std::lock_guard lock(mutex_);
    pending_.positions[partition] = next_offset;
    if (pending_.touched.empty()) {
      pending_.touched = std::move(touched);
    } else {
      pending_.touched.insert(pending_.touched.end(), touched.begin(), touched.end());
    }
    pending_.behind = pending_.any ? pending_.behind && behind : behind;
    pending_.any = true;
    earlier = shorten_sleep(publish_due_us());
  }
  if (earlier) changed_.notify_one();
}

void Publisher::when(std::function<bool()> ready, int timeout_ms, std::function<void(bool)> done) {
  if (ready()) return done(true);
  const auto deadline = steady_micros() + std::int64_t{timeout_ms} * 1000;
  {
    std::unique_lock lock(mutex_);
    // Checked again under the lock: a step between the first look and here would not wake us.
    if (!ready()) {
      waiters_.push_back({std::move(ready), deadline, std::move(done)});
      const bool earlier = shorten_sleep(deadline);
      lock.unlock();
      if (earlier) changed_.notify_one();
      return;
    }
  }
  done(true);
}

void Publisher::when_reached(const Position& position, int timeout_ms,
                             std::function<void(bool)> done) {
  const auto start = steady_micros();
  when([this, position] { return reached(position); }, timeout_ms,
       [this, start, done = std::move(done)](bool ok) {
         wait_seconds_.observe(static_cast<double>(steady_micros() - start) / 1e6);
         if (!ok) timeouts_.inc();
         done(ok);
       });
}

bool Publisher::wait_reached(const Position& position, int timeout_ms) {
  std::promise<bool> promise;
  auto answer = promise.get_future();
  when_reached(position, timeout_ms, [&promise](bool ok) { promise.set_value(ok); });
  return answer.get();
}

std::int64_t Publisher::publish_due_us() const {
  if (!pending_.behind) return last_publish_us_ + kLiveIntervalUs;
  return last_publish_us_ + std::max(kCatchUpIntervalUs, kCatchUpShare * last_cost_us_);
}

std::int64_t Publisher::due_us() const {
  std::int64_t at = steady_micros() + kIdleUs;
  for (const auto& waiter : waiters_) at = std::min(at, waiter.deadline_us);
  return pending_.any ? std::min(at, publish_due_us()) : at;
}

void Publisher::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = steady_micros();
    if (const auto due = due_us(); due > now) {
      asleep_until_us_ = due;
      changed_.wait_for(lock, stop, std::chrono::microseconds(due - now),
                        [this, due] { return due_us() < due; });
      asleep_until_us_ = 0;
    }
    Pending taken;
    if (pending_.any && steady_micros() >= publish_due_us()) taken = std::exchange(pending_, {});
    lock.unlock();
    publish(std::move(taken), false);
    lock.lock();
  }
  lock.unlock();
  publish({}, true);
}

void Publisher::step() {
  Pending taken;
  {
    const std::lock_guard lock(mutex_);
    taken = std::exchange(pending_, {});
  }
  publish(std::move(taken), false);
}

void Publisher::publish(Pending taken, bool stopping) {
  const auto start = steady_micros();
  if (!taken.touched.empty()) update_lists_(distinct(std::move(taken.touched)));
  Woken woken;
  {
    const std::lock_guard lock(mutex_);
    if (taken.any) {
      last_publish_us_ = start;
      last_cost_us_ = steady_micros() - start;
    }
    // Under the lock, so that nobody can look before this step and register after it.
    for (const auto& [partition, offset] : taken.positions) {
      slot(partition).store(offset, std::memory_order_release);
    }
    woken = take_ready(stopping);
  }
  if (taken.any && moved_) moved_();
  for (auto& [done, ok] : woken) done(ok);
}

Publisher::Woken Publisher::take_ready(bool stopping) {
  Woken woken;
  const auto now = steady_micros();
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const bool ok = waiter.ready();
    if (!ok && !stopping && waiter.deadline_us > now) return false;
    woken.emplace_back(std::move(waiter.done), ok);
    return true;
  });
  return woken;
}

}  // namespace millrace::processors
