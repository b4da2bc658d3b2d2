#include "serving/live/hub.h"

#include <algorithm>
#include <chrono>

#include "schemas/event_json.h"
#include "schemas/record.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/authorize.h"

namespace millrace::serving {
namespace {

// How late a listener may hear that its access has ended, or be found to be too slow.
constexpr std::chrono::milliseconds kSweep{250};
constexpr std::chrono::milliseconds kIdle{1'000};  // with nobody listening
constexpr std::uint64_t kService = std::uint64_t{1} << 63;

std::uint64_t holder_of(const Caller& caller) {
  return caller.account.value != 0 ? caller.account.value : kService | caller.token.value;
}

std::shared_ptr<const LiveMessage> message_of(const InteractionView& event, LogPartition partition,
                                              Offset offset, std::string_view type,
                                              std::string_view kind) {
  auto message = std::make_shared<LiveMessage>();
  message->event = "interaction";
  Position position;
  position.include(partition, offset);
  message->position = position.text();
  const auto copy = copy_of(event);
  JsonWriter out(message->json);
  out.begin_object();
  out.member("event", message->event);
  out.member("position", message->position);
  out.member("id", event.id);
  out.member("source", event.source);
  out.member("type", type);
  out.member("user", event.user);
  out.member("item", event.item);
  if (!kind.empty()) out.member("kind", kind);
  out.member("time", rfc3339(event.time));
  append_event_details(out, copy.event);
  out.end_object();
  return message;
}

}  // namespace

LiveHub::LiveHub(processors::Engine& engine, const Clock& clock, Metrics& metrics,
                 LiveOptions options)
    : engine_(engine),
      clock_(clock),
      options_(options),
      tickets_(options.ticket_lifetime_ms, options.tickets),
      sent_(metrics.counter("live_messages_sent_total", "Messages that listeners have taken.")),
      dropped_(metrics.counter("live_messages_dropped_total",
                               "Messages that did not fit a listener's queue.")),
      missed_(metrics.counter("live_events_missed_total",
                              "Events that no listener was compared with, for want of time.")),
      slow_(
          metrics.counter("live_slow_closes_total", "Listeners that took nothing for too long.")) {
  Gauge& listeners = metrics.gauge("live_listeners", "Listeners to events as they are applied.");
  metrics.on_scrape(
      [&listeners, count = count_] { listeners.set(static_cast<double>(count->load())); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LiveHub::~LiveHub() {
  thread_.request_stop();
  engine_.tap().ring();
  thread_.join();
  engine_.tap().close();
  for (const auto& entrant : entrants_) listeners_.push_back(entrant.listener);
  for (const auto& listener : listeners_) listener->end({kGoingAway, "the server is stopping"});
}

Result<std::shared_ptr<LiveListener>> LiveHub::listen(const Caller& caller, LiveFilter filter,
                                                      LiveForm form,
                                                      std::optional<Position> after) {
  auto listener = std::make_shared<LiveListener>(form, caller, options_.queue,
                                                 LiveListener::Figures{sent_, dropped_});
  {
    const std::lock_guard lock(mutex_);
    if (*count_ >= options_.listeners) {
      return fail(Code::kUnavailable, "there are as many listeners as there may be: try again");
    }
    auto& held = held_by_[holder_of(caller)];
    if (!caller.open && held >= options_.listeners_per_account) {
      return fail(Code::kExhausted, "this credential has as many listeners as it may: end one");
    }
    ++held;
    ++*count_;
    entrants_.push_back({listener, std::move(filter), std::move(after)});
  }
  engine_.tap().ring();
  return listener;
}

void LiveHub::change(const std::shared_ptr<LiveListener>& listener, LiveFilter filter) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entrants_, [&](const auto& entrant) { return entrant.listener == listener; });
    entrants_.push_back({listener, std::move(filter), std::nullopt});
  }
  engine_.tap().ring();
}

void LiveHub::leave(const std::shared_ptr<LiveListener>& listener) {
  const std::lock_guard lock(mutex_);
  const auto held = held_by_.find(holder_of(listener->caller()));
  if (--held->second == 0) held_by_.erase(held);
  --*count_;
  std::erase_if(entrants_, [&](const auto& entrant) { return entrant.listener == listener; });
  leavers_.push_back(listener);
}

void LiveHub::run(const std::stop_token& stop) {
  auto swept = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    engine_.tap().wait(listeners_.empty() ? kIdle : kSweep);
    admit();
    deliver();
    const auto now = std::chrono::steady_clock::now();
    if (now - swept < kSweep) continue;
    swept = now;
    sweep();
  }
}

void LiveHub::admit() {
  std::vector<Entrant> entrants;
  Listeners leavers;
  {
    const std::lock_guard lock(mutex_);
    entrants.swap(entrants_);
    leavers.swap(leavers_);
  }
  for (const auto& listener : leavers) remove(*listener);
  if (!entrants.empty() && !engine_.tap().open()) {
    delivered_ = engine_.open_tap(options_.backlog_bytes);
  }
  for (const auto& entrant : entrants) enter(entrant);
}

void LiveHub::enter(const Entrant& entrant) {
  const auto& listener = entrant.listener;
  remove(*listener);
  listener->filter = entrant.filter;
  listeners_.push_back(listener);
  const auto& [users, items, kinds, types] = listener->filter;
  for (const auto& user : users) by_user_[user].push_back(listener);
  if (users.empty()) {
    for (const auto& item : items) by_item_[item].push_back(listener);
    if (items.empty()) others_.push_back(listener);
  }
  listener->push(greeting(entrant.after));
}

void LiveHub::remove(const LiveListener& listener) {
  const auto erase_from = [&](Listeners& from) {
    std::erase_if(from, [&](const auto& entry) { return entry.get() == &listener; });
  };
  const auto erase_by = [&](Index& index, const std::vector<std::string>& keys) {
    for (const auto& key : keys) {
      const auto place = index.find(key);
      if (place == index.end()) continue;
      erase_from(place->second);
      if (place->second.empty()) index.erase(place);
    }
  };
  erase_by(by_user_, listener.filter.users);
  erase_by(by_item_, listener.filter.items);
  erase_from(others_);
  erase_from(listeners_);
}

std::shared_ptr<const LiveMessage> LiveHub::greeting(const std::optional<Position>& after) const {
  auto message = std::make_shared<LiveMessage>();
  message->event = "listening";
  message->position = delivered_.text();
  JsonWriter out(message->json);
  out.begin_object();
  out.member("event", message->event);
  out.member("position", message->position);
  if (after) {
    Offset missed = 0;
    for (const auto& [partition, offset] : after->at()) {
      const auto here = delivered_.at().find(partition);
      if (here != delivered_.at().end()) missed += std::max<Offset>(0, here->second - offset);
    }
    out.member("after", after->text());
    out.member("missed_at_most", missed);
  }
  out.end_object();
  return message;
}

void LiveHub::deliver() {
  const auto taken = engine_.tap().take(engine_.publisher());
  for (const auto& batch : taken.batches) deliver(batch);
  if (taken.missed == 0) return;
  missed_.inc(static_cast<double>(taken.missed));
  for (const auto& listener : listeners_) listener->miss(taken.missed);
}

void LiveHub::deliver(const processors::TappedBatch& batch) {
  const LogPartition partition{Topic::kInteractions, batch.partition};
  const auto catalog = engine_.catalog().view();
  const auto table = engine_.table();
  std::string_view rest = batch.bytes;
  for (const auto& record : batch.records) {
    const auto decoded = view_log_record(rest.substr(0, record.size));
    rest.remove_prefix(record.size);
    const auto* event = decoded ? std::get_if<InteractionView>(&*decoded) : nullptr;
    if (event == nullptr) continue;
    const auto number = catalog->kind_of(record.item);
    const auto kind =
        number == state::kAnyName ? std::string_view() : engine_.names().kinds.name(number);
    std::shared_ptr<const LiveMessage> message;
    const auto offer = [&](const Listeners& listeners) {
      for (const auto& listener : listeners) {
        if (!listener->filter.matches(*event, kind)) continue;
        if (!message) {
          const auto* type = table->find(event->type_number);
          message = message_of(*event, partition, record.offset, type ? type->name : "", kind);
        }
        listener->push(message);
      }
    };
    const auto user = by_user_.find(event->user);
    if (user != by_user_.end()) offer(user->second);
    const auto item = by_item_.find(event->item);
    if (item != by_item_.end()) offer(item->second);
    offer(others_);
  }
  delivered_.include(partition, batch.end - 1);
}

bool LiveHub::may_still(const Caller& caller, const state::AccountsView& accounts) const {
  if (caller.open) return !accounts.any_ever();
  const auto now = caller_of(accounts.find_token(caller.token), accounts, clock_.now());
  return now && (now->may_read() || !caller.may_read());
}

void LiveHub::sweep() {
  if (listeners_.empty()) {
    if (engine_.tap().open()) engine_.tap().close();
    return;
  }
  const auto accounts = engine_.catalog().accounts();
  const auto now = steady_micros();
  for (const auto& listener : listeners_) {
    if (!may_still(listener->caller(), *accounts)) {
      listener->end({kAccessEnded, "the access has ended"});
    } else if (listener->stalled(now, options_.slow_ms * 1'000)) {
      slow_.inc();
      listener->end({kTooSlow, "too slow: nothing was taken"});
    } else {
      listener->beat(now, options_.heartbeat_ms * 1'000);
    }
  }
}

}  // namespace millrace::serving
