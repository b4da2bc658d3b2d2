// Rules on answers: made, read, replaced, taken away, and applied to feeds and recommendations.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/people.h"

namespace millrace {
namespace {

class RankingRulesSurface : public ::testing::Test {
 protected:
  RankingRulesSurface() {
    for (int i = 0; i < 12; ++i) {
      node_.put("movie:" + std::to_string(i),
                R"("categories":[")" + std::string(i % 2 == 0 ? "Drama" : "War") + "\"]");
      node_.event("rate", "crowd", "movie:" + std::to_string(i), "\"value\":4");
    }
  }
  TestReply put(const std::string& id, const std::string& body) {
    return node_.call("PUT", "/v1/admin/rules/" + id, body);
  }
  TestNode node_;
};

TEST_F(RankingRulesSurface, OneIsMadeReadReplacedAndTakenAway) {
  auto reply = put("spring", R"({"kind":"boost","field":"category","value":"War","factor":2,)"
                             R"("start":"2020-01-01T00:00:00Z","end":"2199-01-01T00:00:00Z"})");
  EXPECT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(reply.at("id"), "spring");
  EXPECT_EQ(reply.at("kind"), "boost");
  EXPECT_EQ(reply.number("factor"), 2);
  EXPECT_EQ(reply.at("start"), "2020-01-01T00:00:00.000Z");
  EXPECT_EQ(reply.at("in_force"), "true");
  EXPECT_FALSE(reply.position().empty());
  reply = put("spring", R"({"kind":"quota","field":"category","most":1})");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.find("value"), nullptr);
  node_.restart();
  EXPECT_EQ(node_.get("/v1/admin/rules/spring").at("most"), "1");
  node_.restart(true);
  EXPECT_EQ(node_.get("/v1/admin/rules").at("rules.0.id"), "spring");
  EXPECT_EQ(node_.call("DELETE", "/v1/admin/rules/spring").status(), 204);
  EXPECT_EQ(node_.call("DELETE", "/v1/admin/rules/spring").status(), 404);
  EXPECT_EQ(node_.get("/v1/admin/rules/spring").status(), 404);
  EXPECT_EQ(node_.get("/v1/admin/rules").size("rules"), 0u);
}

TEST_F(RankingRulesSurface, WhatIsAskedWronglyIsNamed) {
  const auto field = [&](const std::string& body) {
    const auto reply = put("r", body);
    return std::to_string(reply.status()) + " " + reply.at("field");
  };
  EXPECT_EQ(field("{}"), "400 kind");
  EXPECT_EQ(field(R"({"kind":"push"})"), "400 kind");
  EXPECT_EQ(field(R"({"kind":"pin","place":1})"), "400 item");
  EXPECT_EQ(field(R"({"kind":"pin","item":"movie:1"})"), "400 place");
  EXPECT_EQ(field(R"({"kind":"pin","item":"movie:1","place":101})"), "400 place");
  EXPECT_EQ(field(R"({"kind":"bury","value":"War"})"), "400 field");
  EXPECT_EQ(field(R"({"kind":"bury","field":"kind","value":"War"})"), "400 field");
  EXPECT_EQ(field(R"({"kind":"bury","field":"tag"})"), "400 value");
  EXPECT_EQ(field(R"({"kind":"boost","field":"tag","value":"x"})"), "400 factor");
  EXPECT_EQ(field(R"({"kind":"boost","field":"tag","value":"x","factor":0})"), "400 factor");
  EXPECT_EQ(field(R"({"kind":"boost","field":"tag","value":"x","factor":101})"), "400 factor");
  EXPECT_EQ(field(R"({"kind":"quota","field":"attr.brand"})"), "400 most");
  EXPECT_EQ(field(R"({"kind":"quota","field":"attr.brand","most":1,"start":"soon"})"), "400 start");
  EXPECT_EQ(field(R"({"kind":"quota","field":"tag","most":1,"start":"2026-01-01T00:00:00Z",)"
                  R"("end":"2025-01-01T00:00:00Z"})"),
            "400 end");
  EXPECT_EQ(put(std::string(65, 'r'), R"({"kind":"quota","field":"tag","most":1})").at("field"),
            "id");
}

TEST_F(RankingRulesSurface, ThereAreAtMostTwoHundred) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(put("r" + std::to_string(i), R"({"kind":"quota","field":"tag","most":9})").status(),
              201);
  }
  EXPECT_EQ(put("more", R"({"kind":"quota","field":"tag","most":9})").status(), 409);
  EXPECT_EQ(put("r0", R"({"kind":"quota","field":"tag","most":8})").status(), 200);
}

TEST_F(RankingRulesSurface, TheyAreAdministratorsAlone) {
  enter(node_, "root", Role::kAdmin);
  const auto ann = enter(node_, "ann");
  EXPECT_EQ(node_.get("/v1/admin/rules").status(), 401);
  EXPECT_EQ(node_.get("/v1/admin/rules", ann.as()).status(), 403);
}

TEST_F(RankingRulesSurface, FeedsAndRecommendationsGoByThem) {
  put("top", R"({"kind":"pin","item":"movie:7","place":1})");
  put("few", R"({"kind":"quota","field":"category","value":"Drama","most":2})");
  for (const char* path : {"/v1/feed/u?limit=8", "/v1/recommendations/u?limit=8&algorithm=popular",
                           "/v1/recommendations/u?limit=8&algorithm=hybrid_ensemble"}) {
    const auto reply = node_.get(std::string(path) + "&explain=true");
    EXPECT_EQ(reply.at("items.0.id"), "movie:7") << reply.body();
    EXPECT_NE(reply.body().find("rule:top"), std::string::npos) << reply.body();
    int dramas = 0;
    for (const auto& id : reply.ids()) dramas += std::stoi(id.substr(6)) % 2 == 0 ? 1 : 0;
    EXPECT_EQ(dramas, 2) << path;
    EXPECT_EQ(reply.ids().size(), 8u);
  }
  EXPECT_NE(node_.get("/v1/lists/popular?limit=8").at("items.0.id"), "movie:7");
}

TEST_F(RankingRulesSurface, DiversityAndRotationAreChecked) {
  const auto field = [&](const std::string& query) {
    const auto reply = node_.get("/v1/recommendations/u?" + query);
    return std::to_string(reply.status()) + " " + reply.at("field");
  };
  EXPECT_EQ(field("diversity=0.5"), "200 ");
  EXPECT_EQ(field("diversity=1.5"), "400 diversity");
  EXPECT_EQ(field("diversity=-1"), "400 diversity");
  EXPECT_EQ(field("diversity=nan"), "400 diversity");
  EXPECT_EQ(field("diversity="), "400 diversity");
  EXPECT_EQ(field("rotate=3"), "200 ");
  EXPECT_EQ(field("rotate=1001"), "400 rotate");
}

}  // namespace
}  // namespace millrace
