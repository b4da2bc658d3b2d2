#include "app/load_run.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "schemas/json_value.h"

namespace millrace::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::uint64_t number_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  std::uint64_t value = 0;
  if (found != nullptr && found->kind == JsonKind::kNumber) {
    std::from_chars(found->text.data(), found->text.data() + found->text.size(), value);
  }
  return value;
}

class Load {
 public:
  Load(const std::function<std::optional<LoadTicket>()>& next,
       const std::function<void(std::uint64_t)>& on_sent)
      : next_(&next), on_sent_(&on_sent) {}

  void work(Target& target) {
    for (;;) {
      std::optional<LoadTicket> ticket = take();
      if (!ticket) return;
      const auto due =
          ticket->due_us ? start_ + std::chrono::microseconds(*ticket->due_us) : SteadyClock::now();
      std::this_thread::sleep_until(due);
      const std::uint64_t events = ticket->events;
      const auto reply = target.post("/v1/events", "application/x-ndjson", std::move(ticket->body));
      note(events, reply, SteadyClock::now() - due);
    }
  }

  LoadOutcome outcome() && {
    outcome_.seconds = std::chrono::duration<double>(SteadyClock::now() - start_).count();
    std::sort(outcome_.latencies_us.begin(), outcome_.latencies_us.end());
    return std::move(outcome_);
  }

 private:
  std::optional<LoadTicket> take() {
    const std::scoped_lock lock(mutex_);
    return (*next_)();
  }

  void note(std::uint64_t events, const Result<HttpReply>& reply, SteadyClock::duration took) {
    const auto json = reply.has_value() && reply->status < 300
                          ? std::optional(parse_json(reply->body))
                          : std::nullopt;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const std::scoped_lock lock(mutex_);
    outcome_.sent += events;
    outcome_.latencies_us.push_back(
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, UINT32_MAX)));
    if (!json || !json->has_value()) {
      outcome_.failed += events;
      outcome_.failure = reply.has_value() ? error_of(*reply).detail : reply.error().detail;
    } else {
      outcome_.accepted += number_in(**json, "accepted");
      outcome_.duplicates += number_in(**json, "duplicates");
      const Json* rejected = (*json)->find("rejected");
      if (rejected != nullptr) outcome_.rejected += rejected->elements.size();
    }
    (*on_sent_)(outcome_.sent);
  }

  const SteadyClock::time_point start_ = SteadyClock::now();
  const std::function<std::optional<LoadTicket>()>* next_;
  const std::function<void(std::uint64_t)>* on_sent_;
  std::mutex mutex_;
  LoadOutcome outcome_;
};

}  // namespace

double LoadOutcome::latency_ms(double share) const {
  if (latencies_us.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(latencies_us.size()));
  return latencies_us[std::min(rank, latencies_us.size() - 1)] / 1000.0;
}

LoadOutcome run_load(const std::vector<std::unique_ptr<Target>>& connections,
                     const std::function<std::optional<LoadTicket>()>& next,
                     const std::function<void(std::uint64_t sent)>& on_sent) {
  Load load(next, on_sent);
  {
    std::vector<std::jthread> threads;
    threads.reserve(connections.size());
    for (const auto& connection : connections) {
      threads.emplace_back([&load, target = connection.get()] { load.work(*target); });
    }
  }
  return std::move(load).outcome();
}

}  // namespace millrace::app
