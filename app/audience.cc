#include "app/audience.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace millrace::app {
namespace {

constexpr double kUserExponent = 0.8, kItemExponent = 0.9;
constexpr std::size_t kUsersPerSession = 20, kMostSessions = 2000;
constexpr double kItemsPerSession = 9;
constexpr double kFromTaste = 0.75, kDrift = 0.12;
constexpr UnixMillis kHour = 3'600'000, kDay = 24 * kHour;

int hour_of(UnixMillis time) { return static_cast<int>(time % kDay / kHour); }

}  // namespace

const std::array<double, 24> kDayRhythm = {.030, .020, .013, .009, .008, .010, .018, .030,
                                           .038, .038, .038, .041, .048, .047, .043, .042,
                                           .045, .052, .062, .076, .085, .083, .071, .053};

UnixMillis backfill_time(UnixMillis end, std::uint32_t days, std::uint64_t i, std::uint64_t count) {
  const UnixMillis first_day = end / kDay - days;
  const double sum = std::accumulate(kDayRhythm.begin(), kDayRhythm.end(), 0.0);
  const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(count) * days;
  double rest = (at - std::floor(at)) * sum;
  std::size_t hour = 0;
  while (hour < 23 && rest >= kDayRhythm[hour]) rest -= kDayRhythm[hour++];
  const double within = std::min(rest / kDayRhythm[hour], 0.999999);
  return (first_day + static_cast<UnixMillis>(at)) * kDay + static_cast<UnixMillis>(hour) * kHour +
         static_cast<UnixMillis>(within * static_cast<double>(kHour));
}

Audience::Audience(std::uint64_t seed, std::size_t users, std::vector<AudienceItem> items)
    : random_(seed),
      items_(std::move(items)),
      by_popularity_(items_.size()),
      people_(users),
      user_rank_(users, kUserExponent),
      item_rank_(items_.size(), kItemExponent),
      sessions_(std::clamp<std::size_t>(users / kUsersPerSession, 1, kMostSessions)) {
  std::iota(by_popularity_.begin(), by_popularity_.end(), 0U);
  for (std::size_t i = by_popularity_.size(); i > 1; --i) {
    std::swap(by_popularity_[i - 1], by_popularity_[random_.below(i)]);
  }
  std::map<std::string, std::uint16_t> numbers;
  categories_of_.resize(items_.size());
  for (const std::uint32_t item : by_popularity_) {
    for (const auto& name : items_[item].categories) {
      const auto number =
          numbers.try_emplace(name, static_cast<std::uint16_t>(numbers.size())).first->second;
      if (by_category_.size() <= number) by_category_.resize(number + 1U);
      categories_of_[item].push_back(number);
      by_category_[number].push_back(item);
    }
  }
  const std::size_t categories = std::max<std::size_t>(by_category_.size(), 1);
  Random hours(seed + 1);
  const Zipf hour_rank(24, 0);
  for (auto& person : people_) {
    for (auto& taste : person.taste) {
      taste = static_cast<std::uint16_t>(random_.below(categories));
    }
    do {
      person.hour = static_cast<std::uint8_t>(hour_rank.draw(hours));
    } while (!hours.chance(kDayRhythm[person.hour] / 0.085));
  }
}

Event Audience::next(UnixMillis now) {
  Session& session = sessions_[random_.below(sessions_.size())];
  if (session.ahead.empty()) {
    if (session.left == 0) begin_session(session, now);
    visit_item(session);
  }
  Event event = std::move(session.ahead.front());
  session.ahead.pop_front();
  return event;
}

void Audience::begin_session(Session& session, UnixMillis now) {
  session.user = pick_user(now);
  // Geometric: many short sessions, a few long ones.
  const double draw = std::log(1 - random_.unit()) / std::log(1 - 1 / kItemsPerSession);
  session.left = 1 + static_cast<std::uint32_t>(std::min(draw, 200.0));
  Person& person = people_[session.user];
  ++person.sessions;
  if (random_.chance(kDrift) && !by_category_.empty()) {
    person.taste[random_.below(kTastes)] =
        static_cast<std::uint16_t>(random_.below(by_category_.size()));
  }
}

// Someone who is not in a session; the closer to their hour the likelier.
std::uint32_t Audience::pick_user(UnixMillis now) {
  const int hour = hour_of(now);
  for (int tries = 0;; ++tries) {
    const auto user = static_cast<std::uint32_t>(user_rank_.draw(random_));
    const int apart = std::abs(hour - people_[user].hour);
    const int distance = std::min(apart, 24 - apart);
    const bool busy = std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& session) {
      return session.left > 0 && session.user == user;
    });
    if (tries > 50 || (!busy && random_.chance(1.0 / (1 + distance)))) return user;
  }
}

std::uint32_t Audience::pick_item(const Person& person) {
  if (!by_category_.empty() && random_.chance(kFromTaste)) {
    // The first taste counts twice the second, that twice the third.
    const double draw = random_.unit();
    const auto& items = by_category_[person.taste[draw < 4.0 / 7 ? 0 : draw < 6.0 / 7 ? 1 : 2]];
    // The rank among all, folded into those of the category, keeps popular items popular.
    return items[item_rank_.draw(random_) % items.size()];
  }
  return by_popularity_[item_rank_.draw(random_)];
}

bool Audience::is_to_taste(const Person& person, std::uint32_t item) const {
  const auto& categories = categories_of_[item];
  return std::any_of(categories.begin(), categories.end(), [&](std::uint16_t category) {
    return std::find(person.taste.begin(), person.taste.end(), category) != person.taste.end();
  });
}

void Audience::say(Session& session, std::uint32_t item, const char* type) {
  Event event;
  event.type = type;
  event.user = UserId("sim-" + std::to_string(session.user + 1));
  event.item = ItemId(items_[item].id);
  event.session = event.user.value + "-" + std::to_string(people_[session.user].sessions);
  session.ahead.push_back(std::move(event));
}

void Audience::visit_item(Session& session) {
  --session.left;
  const Person& person = people_[session.user];
  const std::uint32_t item = pick_item(person);
  const bool liked = is_to_taste(person, item);
  say(session, item, "impression");
  if (!random_.chance(liked ? 0.55 : 0.25)) return;
  say(session, item, "click");
  say(session, item, "view");
  if (random_.chance(0.7)) {
    say(session, item, "play");
    const bool to_the_end = random_.chance(liked ? 0.6 : 0.3);
    const std::size_t seconds = to_the_end ? 240 + random_.below(360) : 5 + random_.below(90);
    say(session, item, to_the_end ? "complete" : "skip");
    session.ahead.back().duration_s = static_cast<std::uint32_t>(seconds);
  }
  if (random_.chance(liked ? 0.16 : 0.04)) say(session, item, "like");
  if (random_.chance(liked ? 0.002 : 0.02)) say(session, item, "dislike");
  if (random_.chance(liked ? 0.06 : 0.01)) say(session, item, "save");
  if (random_.chance(0.02)) say(session, item, "share");
  if (random_.chance(0.03)) {
    say(session, item, "rate");
    const std::size_t stars = liked ? 3 + random_.below(3) : 1 + random_.below(4);
    session.ahead.back().value_centi = static_cast<std::int32_t>(stars) * 100;
  }
}

}  // namespace millrace::app
