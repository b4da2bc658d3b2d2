#include <gtest/gtest.h>

#include <set>

#include "processors/rankers/list.h"
#include "serving/surfaces/rank_query.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

// Twenty films of four genres, rated, liked and watched by a dozen people.
class SurfacesRecommendations : public ::testing::Test {
 protected:
  SurfacesRecommendations() {
    const char* genres[] = {"Action", "Comedy", "Drama", "Horror"};
    std::string items = "[";
    for (int i = 1; i <= 20; ++i) {
      items += (i > 1 ? "," : "") + std::string(R"({"id":"movie:)") + std::to_string(i) +
               R"(","title":"Film )" + std::to_string(i) + R"(","genres":[")" + genres[i % 4] +
               R"("],"tags":["t)" + std::to_string(i % 3) + R"("],"price":")" + std::to_string(i) +
               R"(","color":")" + (i % 2 == 0 ? "red" : "blue") + "\"}";
    }
    EXPECT_EQ(node.call("POST", "/v1/items", items + "]").at("created"), "20");
    std::string events;
    for (int u = 0; u < 12; ++u) {
      for (int i = 1; i <= 6; ++i) {
        const auto film = std::to_string(1 + (u * 3 + i * i) % 20);
        const auto data =
            R"(","data":{"user":"u)" + std::to_string(u) + R"(","item":"movie:)" + film + "\"";
        events += R"({"type":"rate)" + data + ",\"value\":" + std::to_string(1 + (u + i) % 5) +
                  "}}\n" + R"({"type":"like)" + data + "}}\n" + R"({"type":"view)" + data + "}}\n";
      }
    }
    const auto sent = node.call("POST", "/v1/events?wait=applied", events,
                                {{"content-type", "application/x-ndjson"}});
    EXPECT_EQ(sent.at("accepted"), "216") << sent.body();
  }

  TestNode node;
};

// Every item's parts add up to its score.
void expect_parts_add_up(const TestReply& reply) {
  const Json* items = reply.find("items");
  ASSERT_NE(items, nullptr);
  for (const auto& item : items->elements) {
    const Json* parts = item.find("parts");
    ASSERT_NE(parts, nullptr) << reply.body();
    ASSERT_FALSE(parts->members.empty());
    std::set<std::string> names;
    double sum = 0;
    for (const auto& [name, value] : parts->members) {
      sum += std::stod(value.text);
      names.insert(name);
    }
    EXPECT_DOUBLE_EQ(sum, std::stod(item.find("score")->text)) << item.find("id")->text;
  }
}

TEST_F(SurfacesRecommendations, AFeedHasTheShapeOfAllRecommendations) {
  const auto feed = node.get("/v1/feed/u1?limit=5&explain=true");
  ASSERT_EQ(feed.status(), 200) << feed.body();
  EXPECT_EQ(feed.at("user"), "u1");
  EXPECT_EQ(feed.at("algorithm"), "feed");
  EXPECT_EQ(feed.at("level"), "personal");
  EXPECT_EQ(feed.at("recommendation_id").size(), 36u);
  ASSERT_EQ(feed.size("items"), 5u);
  EXPECT_EQ(feed.at("items.0.kind"), "movie");
  EXPECT_FALSE(feed.at("items.0.title").empty());
  expect_parts_add_up(feed);
  for (int i = 1; i < 5; ++i) {
    EXPECT_GE(feed.number("items." + std::to_string(i - 1) + ".score"),
              feed.number("items." + std::to_string(i) + ".score"));
  }
  EXPECT_EQ(feed.header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(node.get("/v1/feed/u1").find("items.0.parts"), nullptr);
}

TEST_F(SurfacesRecommendations, EveryAlgorithmAnswersEveryone) {
  for (const auto& ranker : processors::rankers()) {
    for (const char* user : {"u1", "a%20stranger"}) {
      const auto reply = node.get("/v1/recommendations/" + std::string(user) +
                                  "?explain=true&algorithm=" + std::string(ranker.name));
      ASSERT_EQ(reply.status(), 200) << ranker.name << reply.body();
      EXPECT_FALSE(reply.at("level").empty());
      EXPECT_FALSE(reply.at("algorithm").empty());
      EXPECT_TRUE(ranker.name == "rising" || reply.size("items") > 0) << ranker.name;
      expect_parts_add_up(reply);
    }
  }
}

TEST_F(SurfacesRecommendations, TheSameSeedAndStateGiveTheSameFeed) {
  const auto first = node.get("/v1/feed/u1?seed=7&limit=100");
  EXPECT_EQ(first.ids(), node.get("/v1/feed/u1?seed=7&limit=100").ids());
  EXPECT_EQ(first.at("items.0.score"), node.get("/v1/feed/u1?seed=7").at("items.0.score"));
  EXPECT_NE(first.at("items.0.score"), node.get("/v1/feed/u1?seed=8").at("items.0.score"));
  EXPECT_NE(node.get("/v1/feed/u1").at("items.0.score"),
            node.get("/v1/feed/u1").at("items.0.score"));
}

TEST_F(SurfacesRecommendations, ConditionsHold) {
  const auto ids = [&](const std::string& query) {
    return node.get("/v1/recommendations/u1?limit=100&algorithm=popular&" + query).ids();
  };
  const auto all = ids("");
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(ids("kind=book").size(), 0u);
  EXPECT_EQ(ids("category=Action").size(), 5u);
  EXPECT_EQ(ids("exclude=" + all[0] + "," + all[1]), Ids(all.begin() + 2, all.end()));
  EXPECT_EQ(ids("exclude=" + all[0] + "&exclude=" + all[1]), Ids(all.begin() + 2, all.end()));
  EXPECT_EQ(ids("filter=tag:t0").size(), 6u);
  EXPECT_EQ(ids("filter=tag:t0,category:Action").size(), 1u);
  EXPECT_EQ(ids("filter=price_min:3,price_max:4.50").size(), 2u);
  EXPECT_EQ(ids("filter=attr.color:red,kind:movie").size(), 10u);
}

TEST_F(SurfacesRecommendations, ErrorsNameTheirParameter) {
  for (const char* bad :
       {"algorithm=best", "limit=0", "explain=maybe", "filter=price", "filter=tag:", "filter=a:b",
        "filter=tag:a,", "filter=tag:a,tag:b", "filter=price_min:x", "filter=attr.:x",
        "session=", "seed=-1", "kind=A", "category="}) {
    const auto reply = node.get(std::string("/v1/recommendations/u1?") + bad);
    EXPECT_EQ(reply.status(), 400) << bad;
    EXPECT_EQ(reply.at("field"), std::string(bad).substr(0, std::string(bad).find('='))) << bad;
  }
}

TEST_F(SurfacesRecommendations, ASessionStandsInForAStranger) {
  node.event("like", "session-1", "movie:4");
  const auto with = node.get("/v1/recommendations/new?session=session-1&algorithm=feed");
  EXPECT_EQ(with.at("level"), "session");
  EXPECT_EQ(with.at("user"), "new");
  EXPECT_NE(node.get("/v1/recommendations/new").at("level"), "session");
}

TEST_F(SurfacesRecommendations, SimilarItemsAreExplained) {
  const auto similar = node.get("/v1/items/movie:4/similar?explain=true&limit=4");
  ASSERT_EQ(similar.status(), 200) << similar.body();
  EXPECT_EQ(similar.at("item"), "movie:4");
  ASSERT_EQ(similar.size("items"), 4u);
  for (const auto& id : similar.ids()) EXPECT_NE(id, "movie:4");
  expect_parts_add_up(similar);
  EXPECT_EQ(node.get("/v1/items/movie:99/similar").status(), 404);
}

TEST_F(SurfacesRecommendations, ALikeShowsInTheNextFeed) {
  const auto before = node.get("/v1/feed/reader?limit=100&seed=1&explain=true");
  EXPECT_NE(before.at("level"), "personal");
  const auto sent = node.call("POST", "/v1/events",
                              R"({"type":"like","data":{"user":"reader","item":"movie:7"}})");
  const auto after =
      node.get("/v1/feed/reader?limit=100&seed=1&explain=true&position=" + sent.position());
  EXPECT_EQ(after.at("level"), "personal");
  const auto engagement = [](const TestReply& reply, const std::string& id) {
    for (const auto& item : reply.find("items")->elements) {
      if (item.find("id")->text == id) {
        return std::stod(item.find("parts")->find("engagement")->text);
      }
    }
    return -1.0;
  };
  EXPECT_NEAR(engagement(after, "movie:7"), engagement(before, "movie:7") + 1.0, 1e-9);
}

TEST(RankQuery, FiltersAreTakenApart) {
  const auto filter =
      serving::parse_filter("tag:a b,category:C,kind:movie,price_min:1,price_max:2.50,attr.x:y:z");
  ASSERT_TRUE(filter.has_value());
  EXPECT_EQ(filter->tag, "a b");
  EXPECT_EQ(filter->category, "C");
  EXPECT_EQ(filter->kind, "movie");
  EXPECT_EQ(filter->price_min, 100);
  EXPECT_EQ(filter->price_max, 250);
  ASSERT_EQ(filter->attributes.size(), 1u);
  EXPECT_EQ(filter->attributes[0], (std::pair<std::string, std::string>("x", "y:z")));
}

}  // namespace
}  // namespace millrace
