#include "app/simulation.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "schemas/event_json.h"
#include "schemas/item_json.h"

namespace millrace::app {
namespace {

constexpr UnixMillis kNow = 1'780'000'000'000;
constexpr UnixMillis kDay = 24LL * 3'600'000;

std::vector<std::string> bodies(const SimulationOptions& options) {
  Audience audience(options.seed, options.users, audience_items(options.seed, options.items));
  UnixMillis now = kNow;
  TicketWriter writer(
      options, audience, [&now] { return now += 10; }, [] { return false; });
  std::vector<std::string> all;
  while (auto ticket = writer.next()) all.push_back(std::move(ticket->body));
  return all;
}

std::vector<Event> events_of(const std::vector<std::string>& lines) {
  std::vector<Event> events;
  for (const auto& body : lines) {
    const auto outcomes = parse_events(body, BodyKind::kNdjson);
    EXPECT_TRUE(outcomes.has_value());
    for (const auto& outcome : outcomes.value_or(std::vector<EventOutcome>{})) {
      EXPECT_TRUE(outcome.event.has_value()) << body;
      events.push_back(outcome.event.value_or(Event{}));
    }
  }
  return events;
}

SimulationOptions options_of(std::uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.users = 300;
  options.items = 200;
  options.rate = 0;
  options.events = 20'000;
  options.batch = 1000;
  options.run = "test";
  return options;
}

TEST(SyntheticCatalog, ItemsAreValidAndTheSeedsOwn) {
  auto reader = synthetic_items(7, 500).open().value();
  std::set<std::string> titles;
  std::set<std::string> categories;
  std::size_t count = 0;
  while (const auto row = reader->next()) {
    const auto item = parse_item(row->json.value(), std::nullopt);
    ASSERT_TRUE(item.has_value()) << *row->json;
    EXPECT_EQ(*item, synthetic_item(7, ++count));
    EXPECT_EQ(item->kind, "video");
    EXPECT_FALSE(item->tags.empty());
    titles.insert(item->title);
    categories.insert(item->categories.begin(), item->categories.end());
  }
  EXPECT_EQ(count, 500u);
  EXPECT_EQ(titles.size(), 500u);
  EXPECT_GE(categories.size(), 10u);
  EXPECT_NE(synthetic_item(8, 1), synthetic_item(7, 1));
}

TEST(SyntheticCatalog, ProductsHaveAPriceAndAStock) {
  auto reader = synthetic_products(7, 50).open().value();
  std::size_t count = 0;
  while (const auto row = reader->next()) {
    const auto item = parse_item(row->json.value(), std::nullopt);
    ASSERT_TRUE(item.has_value()) << *row->json;
    EXPECT_EQ(*item, synthetic_product(7, ++count));
    EXPECT_EQ(item->id.value, "product:" + std::to_string(count));
    EXPECT_FALSE(item->price.empty());
    EXPECT_NE(item->attributes.find("\"quantity\":"), std::string::npos);
  }
  EXPECT_EQ(count, 50u);
}

TEST(Simulation, TheSameSeedGivesTheSameEvents) {
  const auto once = bodies(options_of(5));
  EXPECT_EQ(once, bodies(options_of(5)));
  EXPECT_NE(once, bodies(options_of(6)));
  ASSERT_EQ(once.size(), 20u);
}

TEST(Simulation, EventsAreValidAndLookLikeAnAudience) {
  const auto events = events_of(bodies(options_of(5)));
  ASSERT_EQ(events.size(), 20'000u);
  std::map<std::string, int> types;
  std::map<std::string, int> items;
  std::map<std::string, int> users;
  std::set<std::string> ids;
  for (const auto& event : events) {
    ++types[event.type];
    ++items[event.item.value];
    ++users[event.user.value];
    ids.insert(event.id);
    EXPECT_FALSE(event.session.empty());
    EXPECT_EQ(event.type == "rate", event.value_centi.has_value());
  }
  EXPECT_EQ(ids.size(), events.size());
  EXPECT_GT(types["impression"], types["click"]);
  EXPECT_GE(types["click"], types["view"]);
  EXPECT_GT(types["view"], types["like"]);
  EXPECT_GT(types["like"], types["share"]);
  for (const auto* type : {"play", "complete", "skip", "save", "share", "rate", "dislike"}) {
    EXPECT_GT(types[type], 0) << type;
  }
  // A few items get much, and yet most of the catalogue and of the people is seen.
  const auto most = std::max_element(items.begin(), items.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->second;
  EXPECT_GT(most, 20'000 / 200 * 3);
  EXPECT_GT(items.size(), 180u);
  EXPECT_GT(users.size(), 200u);
}

TEST(Simulation, PeopleKeepToTheirTasteWhichDrifts) {
  const auto items = audience_items(5, 200);
  std::map<std::string, std::vector<std::string>> categories;
  for (const auto& item : items) categories[item.id] = item.categories;
  Audience audience(5, 1, items);
  const auto counts = [&](int events) {
    std::map<std::string, int> seen;
    for (int i = 0; i < events; ++i) {
      const Event event = audience.next(kNow);
      if (event.type == "impression") ++seen[categories[event.item.value].front()];
    }
    return seen;
  };
  const auto share_of_three = [](const std::map<std::string, int>& seen) {
    std::vector<int> sorted;
    int sum = 0;
    for (const auto& [name, count] : seen) {
      sorted.push_back(count);
      sum += count;
    }
    std::sort(sorted.rbegin(), sorted.rend());
    return static_cast<double>(sorted[0] + sorted[1] + sorted[2]) / sum;
  };
  EXPECT_GT(share_of_three(counts(300)), 0.6);
  EXPECT_LT(share_of_three(counts(100'000)), 0.55);
}

TEST(Simulation, ARateSpacesTheTickets) {
  auto options = options_of(1);
  options.rate = 100;
  options.seconds = 0.5;
  options.events = 0;
  options.batch = 5;
  Audience audience(1, options.users, audience_items(1, options.items));
  TicketWriter writer(
      options, audience, [] { return kNow; }, [] { return false; });
  std::vector<std::int64_t> dues;
  while (const auto ticket = writer.next()) {
    EXPECT_EQ(ticket->events, 5u);
    dues.push_back(ticket->due_us.value_or(-1));
  }
  ASSERT_EQ(dues.size(), 10u);
  EXPECT_EQ(dues[0], 0);
  EXPECT_EQ(dues[9], 450'000);
}

TEST(Simulation, WithoutRateAndNumberTheClockEndsIt) {
  auto options = options_of(1);
  options.seconds = 2;
  options.events = 0;
  UnixMillis now = kNow;
  Audience audience(1, options.users, audience_items(1, options.items));
  TicketWriter writer(
      options, audience, [&now] { return now; }, [] { return false; });
  EXPECT_TRUE(writer.next().has_value());
  now += 1999;
  EXPECT_TRUE(writer.next().has_value());
  now += 1;
  EXPECT_FALSE(writer.next().has_value());
}

TEST(Simulation, ABackfillFollowsTheDay) {
  auto options = options_of(1);
  options.backfill_days = 7;
  const auto events = events_of(bodies(options));
  std::array<int, 24> hours{};
  UnixMillis last = 0;
  for (const auto& event : events) {
    ASSERT_TRUE(event.time.has_value());
    EXPECT_GE(*event.time, last);
    last = *event.time;
    ++hours[static_cast<std::size_t>(last % kDay / 3'600'000)];
  }
  EXPECT_GE(*events.front().time, kNow - 8 * kDay);
  EXPECT_LT(last, kNow);
  EXPECT_GT(hours[20], 5 * hours[4]);
  EXPECT_GT(hours[4], 0);
}

// Takes events, and refuses what it is told to.
class CountingTarget final : public Target {
 public:
  explicit CountingTarget(int status) : status_(status) {}
  std::string name() const override { return "counting"; }
  Result<HttpReply> send(const HttpRequest& request) override {
    if (status_ != 200) return HttpReply{status_, {}, "{}"};
    const auto lines = std::count(request.body.begin(), request.body.end(), '\n');
    return HttpReply{
        200, {}, "{\"accepted\":" + std::to_string(lines) + ",\"duplicates\":0,\"rejected\":[]}"};
  }

 private:
  int status_;
};

TEST(Load, CountsAndMeasuresEveryRequest) {
  const auto options = options_of(3);
  for (const int status : {200, 503}) {
    Audience audience(3, options.users, audience_items(3, options.items));
    TicketWriter writer(
        options, audience, [] { return kNow; }, [] { return false; });
    std::vector<std::unique_ptr<Target>> targets;
    for (int i = 0; i < 3; ++i) targets.push_back(std::make_unique<CountingTarget>(status));
    const auto load = run_load(
        targets, [&writer] { return writer.next(); }, [](std::uint64_t) {});
    EXPECT_EQ(load.sent, 20'000u);
    EXPECT_EQ(load.accepted, status == 200 ? 20'000u : 0u);
    EXPECT_EQ(load.failed, status == 200 ? 0u : 20'000u);
    EXPECT_EQ(load.latencies_us.size(), 20u);
    EXPECT_TRUE(std::is_sorted(load.latencies_us.begin(), load.latencies_us.end()));
    EXPECT_LE(load.latency_ms(0.5), load.latency_ms(1));
  }
}

TEST(FetchItems, GoesThroughThePages) {
  class Pages final : public Target {
   public:
    std::string name() const override { return "pages"; }
    Result<HttpReply> send(const HttpRequest& request) override {
      if (request.target == "/v1/items?limit=100") {
        return HttpReply{
            200, {}, R"({"items":[{"id":"a","categories":["x"]}],"next_cursor":"c1"})"};
      }
      EXPECT_EQ(request.target, "/v1/items?limit=100&cursor=c1");
      return HttpReply{200, {}, R"({"items":[{"id":"b"},{"id":"c"}]})"};
    }
  } pages;
  const auto items = fetch_items(pages, 10);
  ASSERT_TRUE(items.has_value());
  ASSERT_EQ(items->size(), 3u);
  EXPECT_EQ(items->at(0).categories, std::vector<std::string>{"x"});
  EXPECT_EQ(fetch_items(pages, 2)->size(), 2u);
}

}  // namespace
}  // namespace millrace::app
