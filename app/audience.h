#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "app/random.h"
#include "app/synthetic_catalog.h"
#include "base/clock.h"
#include "schemas/event.h"

namespace millrace::app {

// Share of a day's events that falls into each hour: few before dawn, most in the evening.
extern const std::array<double, 24> kDayRhythm;

// When the events of `days` days before `end` happen, as the day's rhythm has it: the time of the
// `i`-th of `count`.
UnixMillis backfill_time(UnixMillis end, std::uint32_t days, std::uint64_t i, std::uint64_t count);

// People who watch, made up: who comes is Zipf-distributed and depends on the hour (people have
// habits), and each comes for a session. A session goes from item to item, mostly within the
// person's taste (three categories, which drift from session to session), to popular items (Zipf
// again) rather than others. At each item there is an impression, perhaps a click, a view, playing
// to the end or skipping, and now and then a like, save, share or rating: likelier for what is to
// the person's taste. The same seed, items and times give the same events. One thread.
class Audience {
 public:
  // `users` and `items` must not be empty.
  Audience(std::uint64_t seed, std::size_t users, std::vector<AudienceItem> items);

  // What happens next, at `now`, which must not go backwards by much: it picks who is awake.
  // Source, id and time are the caller's to fill in.
  Event next(UnixMillis now);

 private:
  static constexpr std::size_t kTastes = 3;
  struct Person {
    std::array<std::uint16_t, kTastes> taste{};  // category numbers, the strongest first
    std::uint8_t hour = 0;                       // of the day, when this person mostly comes
    std::uint32_t sessions = 0;
  };
  struct Session {
    std::uint32_t user = 0;
    std::uint32_t left = 0;   // items still to come
    std::deque<Event> ahead;  // of the item at hand
  };

  void begin_session(Session& session, UnixMillis now);
  void visit_item(Session& session);
  std::uint32_t pick_user(UnixMillis now);
  std::uint32_t pick_item(const Person& person);
  bool is_to_taste(const Person& person, std::uint32_t item) const;
  void say(Session& session, std::uint32_t item, const char* type);

  Random random_;
  std::vector<AudienceItem> items_;
  std::vector<std::vector<std::uint16_t>> categories_of_;  // by item
  std::vector<std::vector<std::uint32_t>> by_category_;    // items, the popular first
  std::vector<std::uint32_t> by_popularity_;
  std::vector<Person> people_;
  Zipf user_rank_;
  Zipf item_rank_;
  std::vector<Session> sessions_;  // those going on
};

}  // namespace millrace::app
