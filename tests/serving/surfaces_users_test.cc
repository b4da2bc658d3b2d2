#include <gtest/gtest.h>

#include "tests/support/test_node.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

TEST(SurfacesUsers, AProfileSaysWhatThePersonsEventsSay) {
  TestNode node;
  node.put("movie:1", R"("genres":["Action","Comedy"],"tags":["space"])");
  node.put("movie:2", R"("genres":["Action"])");
  node.put("movie:3", R"("genres":["Horror"])");
  node.event("rate", "u", "movie:1", "\"value\":4");
  node.event("rate", "u", "movie:2", "\"value\":3");
  node.event("rate", "u", "movie:3", "\"value\":2.5");
  node.event("like", "u", "movie:1");
  node.event("save", "u", "movie:2");
  const auto profile = node.get("/v1/users/u/profile");
  ASSERT_EQ(profile.status(), 200) << profile.body();
  EXPECT_EQ(profile.at("user"), "u");
  EXPECT_EQ(profile.at("events"), "5");
  EXPECT_EQ(profile.at("counts.rate"), "3");
  EXPECT_EQ(profile.at("counts.like"), "1");
  EXPECT_EQ(profile.at("liked"), "1");
  EXPECT_EQ(profile.at("saved"), "1");
  EXPECT_EQ(profile.at("rated"), "3");
  EXPECT_EQ(profile.at("watched"), "3");
  ASSERT_EQ(profile.size("categories"), 2u) << profile.body();
  EXPECT_EQ(profile.at("categories.0.name"), "Action");
  EXPECT_EQ(profile.number("categories.0.weight"), 1);
  EXPECT_EQ(profile.at("categories.0.interest"), "2");
  EXPECT_EQ(profile.at("categories.1.name"), "Comedy");
  EXPECT_EQ(profile.number("categories.1.weight"), 0.5);
  EXPECT_EQ(profile.at("tags.0.name"), "space");
  EXPECT_EQ(profile.at("recent.0"), "movie:2");
  EXPECT_EQ(profile.at("recent.1"), "movie:1");
  EXPECT_EQ(profile.header("Cache-Control"), "private, no-cache");
}

TEST(SurfacesUsers, SomeoneNeverSeenHasAnEmptyProfileAndHistory) {
  TestNode node;
  const auto profile = node.get("/v1/users/nobody/profile");
  EXPECT_EQ(profile.status(), 200);
  EXPECT_EQ(profile.at("events"), "0");
  EXPECT_EQ(profile.size("categories"), 0u);
  EXPECT_EQ(node.get("/v1/users/nobody/history").size("items"), 0u);
  EXPECT_EQ(node.call("DELETE", "/v1/users/nobody").status(), 204);
}

TEST(SurfacesUsers, HistoryIsNewestFirstWithWhatTheEventSaid) {
  TestNode node;
  node.put("movie:1", R"("title":"Toy Story")");
  node.event("view", "u", "movie:1",
             R"("session":"s","duration_s":90,"device":"tv","context":{"at":"home"},"notes":"!")");
  node.clock().advance(1000);
  node.event("rate", "u", "movie:2", "\"value\":4.5");
  const auto history = node.get("/v1/users/u/history");
  ASSERT_EQ(history.size("items"), 2u) << history.body();
  EXPECT_EQ(history.at("items.0.id"), "movie:2");
  EXPECT_EQ(history.find("items.0.title"), nullptr);
  EXPECT_EQ(history.at("items.0.type"), "rate");
  EXPECT_EQ(history.number("items.0.value"), 4.5);
  EXPECT_EQ(history.at("items.1.title"), "Toy Story");
  EXPECT_EQ(history.at("items.1.kind"), "movie");
  EXPECT_EQ(history.at("items.1.duration_s"), "90");
  EXPECT_EQ(history.at("items.1.device"), "tv");
  EXPECT_EQ(history.at("items.1.context.at"), "home");
  EXPECT_EQ(history.at("items.1.notes"), "!");
  EXPECT_EQ(history.at("items.1.session"), "s");
  // The position of an event is one that a read may name.
  EXPECT_EQ(node.get("/v1/items?position=" + history.at("items.0.position")).status(), 200);
}

TEST(SurfacesUsers, HistoryIsCutByTypeTimeAndPage) {
  TestNode node;
  for (int i = 0; i < 25; ++i) {
    node.event(i % 5 == 0 ? "like" : "view", "u", "movie:" + std::to_string(i));
    node.clock().advance(1000);
  }
  EXPECT_EQ(node.get("/v1/users/u/history?type=like").ids(),
            (Ids{"movie:20", "movie:15", "movie:10", "movie:5", "movie:0"}));
  EXPECT_EQ(node.get("/v1/users/u/history?from=1790000003000&to=1790000005000").ids(),
            (Ids{"movie:5", "movie:4", "movie:3"}));
  Ids seen;
  std::string cursor;
  do {
    const auto page =
        node.get("/v1/users/u/history?limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& id : page.ids()) seen.push_back(id);
    cursor = page.at("next_cursor");
  } while (!cursor.empty());
  ASSERT_EQ(seen.size(), 25u);
  for (int i = 0; i < 25; ++i) {
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], "movie:" + std::to_string(24 - i));
  }
  for (const char* bad : {"type=dance", "from=yesterday", "to=-1", "cursor=!", "limit=1000"}) {
    const auto reply = node.get(std::string("/v1/users/u/history?") + bad);
    EXPECT_EQ(reply.status(), 400) << bad;
    EXPECT_EQ(reply.at("field"), std::string(bad).substr(0, std::string(bad).find('=')));
  }
}

TEST(SurfacesUsers, RetentionByLogTimeIsExact) {
  TestNode::Options options;
  options.engine.proposed.history_retention_ms = 10'000;
  TestNode node(options);
  node.event("view", "u", "movie:1");
  node.clock().advance(6'000);
  node.event("view", "u", "movie:2");
  EXPECT_EQ(node.get("/v1/users/u/history").ids(), (Ids{"movie:2", "movie:1"}));
  node.clock().advance(6'000);
  node.event("view", "u", "movie:3");
  EXPECT_EQ(node.get("/v1/users/u/history").ids(), (Ids{"movie:3", "movie:2"}));
}

TEST(SurfacesUsers, AnErasedPersonIsGoneWhenTheAnswerComesAndStaysSo) {
  TestNode node;
  node.put("movie:1", R"("genres":["Action"])");
  node.event("like", "u", "movie:1");
  node.event("rate", "u", "movie:1", "\"value\":5");
  node.event("like", "other", "movie:1");
  const auto erased = node.call("DELETE", "/v1/users/u");
  ASSERT_EQ(erased.status(), 204);
  EXPECT_TRUE(erased.body().empty());
  ASSERT_FALSE(erased.position().empty());
  const auto gone = [&node] {
    EXPECT_EQ(node.get("/v1/users/u/profile").at("events"), "0");
    EXPECT_EQ(node.get("/v1/users/u/history").size("items"), 0u);
    const auto item = node.get("/v1/items/movie:1");
    EXPECT_EQ(item.number("likes"), 1);
    EXPECT_EQ(item.number("rating_count"), 0);
    EXPECT_EQ(item.number("watch_count"), 0);
  };
  gone();
  node.restart();
  gone();
  node.restart(true);  // from the log alone
  gone();
  EXPECT_EQ(node.get("/v1/items?position=" + erased.position()).status(), 200);
}

TEST(SurfacesUsers, ErasingAgainUnderTheSameKeyAnswersAndErasesNothingNew) {
  TestNode node;
  node.put("movie:1");
  const TestNode::Headers key = {{"idempotency-key", "erase-1"}};
  node.event("like", "u", "movie:1");
  EXPECT_EQ(node.call("DELETE", "/v1/users/u", {}, key).status(), 204);
  node.event("like", "u", "movie:1");
  EXPECT_EQ(node.call("DELETE", "/v1/users/u", {}, key).status(), 204);
  EXPECT_EQ(node.get("/v1/items/movie:1").number("likes"), 1);
  EXPECT_EQ(node.call("DELETE", "/v1/users/u").status(), 204);
  EXPECT_EQ(node.get("/v1/items/movie:1").number("likes"), 0);
}

}  // namespace
}  // namespace millrace
