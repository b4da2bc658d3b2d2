#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "processors/engine.h"
#include "schemas/position.h"
#include "serving/live/listener.h"
#include "serving/live/tickets.h"

namespace millrace::serving {

struct LiveOptions {
  std::size_t listeners = 1'000;           // 503
  std::size_t listeners_per_account = 20;  // 429; of a service's key likewise
  LiveBounds queue;                        // of one listener; what does not fit is dropped
  std::size_t backlog_bytes = 16u << 20;   // of events that no listener was compared with yet
  std::size_t message_bytes = 4'096;       // of a listener's own messages
  std::int64_t heartbeat_ms = 15'000;
  std::int64_t slow_ms = 5'000;  // with something waiting, a listener must take something
  std::int64_t ticket_lifetime_ms = 30'000;
  std::size_t tickets = 10'000;  // used within that time
};

// Who listens, and the thread that hands them what was applied. It sees every event of this node,
// which applies all partitions. Nobody waits for it, nor it for a listener. Thread-safe.
class LiveHub {
 public:
  // `engine`, `clock` and `metrics` must outlive the hub, and the hub its listeners' connections.
  LiveHub(processors::Engine& engine, const Clock& clock, Metrics& metrics, LiveOptions options);
  ~LiveHub();  // ends every listener
  LiveHub(const LiveHub&) = delete;
  LiveHub& operator=(const LiveHub&) = delete;

  // The first thing that it hears is where its events begin. `after`: the last that it knows from
  // before. kExhausted: the caller has as many as it may, kUnavailable: everybody.
  Result<std::shared_ptr<LiveListener>> listen(const Caller& caller, LiveFilter filter,
                                               LiveForm form, std::optional<Position> after);
  // It is told where its events begin to be those of the new filter.
  void change(const std::shared_ptr<LiveListener>& listener, LiveFilter filter);
  void leave(const std::shared_ptr<LiveListener>& listener);  // once

  LiveTickets& tickets() { return tickets_; }
  const LiveOptions& options() const { return options_; }

 private:
  struct Entrant {
    std::shared_ptr<LiveListener> listener;
    LiveFilter filter;
    std::optional<Position> after;
  };
  using Listeners = std::vector<std::shared_ptr<LiveListener>>;
  using Index = std::map<std::string, Listeners, std::less<>>;

  void run(const std::stop_token& stop);
  void admit();
  void enter(const Entrant& entrant);
  void remove(const LiveListener& listener);
  void deliver();
  void deliver(const processors::TappedBatch& batch);
  void sweep();
  bool may_still(const Caller& caller, const state::AccountsView& accounts) const;
  std::shared_ptr<const LiveMessage> greeting(const std::optional<Position>& after) const;

  processors::Engine& engine_;
  const Clock& clock_;
  const LiveOptions options_;
  LiveTickets tickets_;
  Counter& sent_;
  Counter& dropped_;
  Counter& missed_;
  Counter& slow_;

  std::mutex mutex_;
  std::map<std::uint64_t, std::size_t> held_by_;  // account or key -> listeners
  std::shared_ptr<std::atomic<std::size_t>> count_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<Entrant> entrants_;
  Listeners leavers_;

  // The thread's own.
  Listeners listeners_;
  Index by_user_, by_item_;  // a listener is in one of the three
  Listeners others_;
  Position delivered_;
  std::jthread thread_;  // last: joins before the rest goes
};

}  // namespace millrace::serving
