#include "tests/support/state_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "tests/support/answer.h"
#include "tests/support/eventually.h"

namespace millrace {
namespace {

std::uint64_t number(const Answer& object, const char* key) {
  return static_cast<std::uint64_t>(object[key].number());
}

}  // namespace

void expect_items(HttpClient& http, const Oracle& oracle) {
  for (const auto& [id, expected] : oracle.items()) {
    const auto item = Answer(http.get("/v1/items/" + id));
    EXPECT_EQ(number(item, "views"), expected.views) << id;
    EXPECT_EQ(number(item, "shares"), expected.shares) << id;
    EXPECT_EQ(number(item, "plays"), expected.plays) << id;
    EXPECT_EQ(number(item, "likes"), expected.likers.size()) << id;
    EXPECT_EQ(number(item, "saves"), expected.savers.size()) << id;
    EXPECT_EQ(number(item, "watch_count"), expected.watchers.size()) << id;
    EXPECT_EQ(number(item, "rating_count"), expected.ratings.size()) << id;
    double sum = 0;
    for (const auto& [user, stars] : expected.ratings) sum += stars;
    const double average =
        expected.ratings.empty() ? 0 : sum / static_cast<double>(expected.ratings.size());
    const auto shown = item["average_rating"];
    EXPECT_NEAR(shown.is_null() ? 0.0 : shown.number(), average, 1e-6) << id;
  }
}

void expect_histories(HttpClient& http, const Oracle& oracle) {
  for (const auto& [user, events] : oracle.histories()) {
    const auto history = Answer(http.get("/v1/users/" + user + "/history?limit=100"));
    std::size_t back = 0;
    for (const auto& entry : history["items"].elements()) {
      ASSERT_LT(back, events.size()) << user << " has more history than was sent";
      const auto& [type, item] = events[events.size() - 1 - back++];
      EXPECT_EQ(entry["type"].text(), type) << user << " " << back;
      EXPECT_EQ(entry["id"].text(), item) << user << " " << back;
    }
    EXPECT_EQ(back, std::min<std::size_t>(100, events.size())) << user;
    const auto profile = Answer(http.get("/v1/users/" + user + "/profile"));
    EXPECT_EQ(number(profile, "events"), events.size()) << user;
  }
}

void wait_applied(HttpClient& http) {
  const bool applied = eventually(
      [&http] {
        const auto partitions = Answer(http.get("/v1/admin/status"))["partitions"].elements();
        return std::all_of(partitions.begin(), partitions.end(),
                           [](const Answer& partition) { return number(partition, "lag") == 0; });
      },
      std::chrono::seconds(30));
  EXPECT_TRUE(applied) << "the log was not applied in time";
}

}  // namespace millrace
