// What is said of people, and all that is known of them.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/people.h"

namespace millrace {
namespace {

class PeopleSurface : public ::testing::Test {
 protected:
  PeopleSurface() {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
  }
  TestReply describe(const std::string& body) {
    return node_.call("PUT", "/v1/users/" + ann_.id, body, ann_.as());
  }
  void put(const std::string& id, const std::string& category) {
    node_.call("PUT", "/v1/items/" + id, R"({"title":"T","categories":[")" + category + "\"]}",
               root_.as());
  }
  void event(const std::string& type, const std::string& user, const std::string& item) {
    const auto sent = node_.call("POST", "/v1/events?wait=applied",
                                 R"({"type":")" + type + R"(","data":{"value":4,"user":")" + user +
                                     R"(","item":")" + item + "\"}}",
                                 root_.as());
    ASSERT_EQ(sent.at("accepted"), "1") << sent.body();
  }

  TestNode node_;
  Person root_, ann_;
};

TEST_F(PeopleSurface, WhatIsSaidIsReplacedAndKept) {
  auto reply =
      describe(R"({"labels":["vip"],"genres":["Drama","Noir"],"attributes":{"city":"Rome"}})");
  EXPECT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(reply.at("user"), ann_.id);
  EXPECT_EQ(reply.at("labels.0"), "vip");
  EXPECT_EQ(reply.at("genres.1"), "Noir");
  EXPECT_EQ(reply.at("attributes.city"), "Rome");
  EXPECT_FALSE(reply.position().empty());
  reply = describe(R"({"labels":["old"]})");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.size("genres"), 0u);
  node_.restart();
  EXPECT_EQ(node_.get("/v1/users/" + ann_.id + "/export", ann_.as()).at("described.labels.0"),
            "old");
}

TEST_F(PeopleSurface, WrongDescriptionsAreTold) {
  const auto field = [&](const std::string& body) {
    const auto reply = describe(body);
    return std::to_string(reply.status()) + " " + reply.at("field");
  };
  EXPECT_EQ(field(R"({"labels":"vip"})"), "400 labels");
  EXPECT_EQ(field(R"({"labels":[""]})"), "400 labels");
  EXPECT_EQ(field(R"({"labels":["a\nb"]})"), "400 labels");
  EXPECT_EQ(field(R"({"genres":[{}]})"), "400 genres");
  EXPECT_EQ(field(R"({"attributes":[]})"), "400 attributes");
  EXPECT_EQ(field(R"({"attributes":{"a":")" + std::string(5'000, 'x') + "\"}}"), "400 attributes");
  std::string many;
  for (int i = 0; i < 51; ++i) many += (i == 0 ? "\"g\"" : ",\"g\"");
  EXPECT_EQ(field(R"({"genres":[)" + many + "]}"), "400 genres");
  const auto bob = enter(node_, "bob");
  EXPECT_EQ(node_.call("PUT", "/v1/users/" + ann_.id, "{}", bob.as()).status(), 403);
}

TEST_F(PeopleSurface, FirstGenresAreForAColdStart) {
  for (int i = 0; i < 9; ++i) put("movie:" + std::to_string(i), i < 5 ? "Drama" : "Noir");
  for (const char* item : {"movie:0", "movie:1", "movie:2"}) event("rate", "1001", item);
  const auto first = [&](const char* path) {
    return node_.get(path + ann_.id + "?limit=3&algorithm=genre_weighted&kind=movie", ann_.as());
  };
  EXPECT_EQ(first("/v1/recommendations/").at("level"), "popular");
  describe(R"({"genres":["Noir","No such genre"]})");
  const auto told = first("/v1/recommendations/");
  EXPECT_EQ(told.at("algorithm"), "genre_weighted") << told.body();
  EXPECT_EQ(told.at("level"), "personal");
  for (const auto& id : told.ids()) EXPECT_GE(id, "movie:5") << told.body();
  const auto feed =
      node_.get("/v1/feed/" + ann_.id + "?limit=9&explain=true&kind=movie", ann_.as());
  EXPECT_EQ(feed.at("level"), "personal") << feed.body();
  EXPECT_GT(feed.number("items.0.parts.category"), 0) << feed.body();
  event("rate", ann_.id, "movie:3");
  EXPECT_NE(first("/v1/recommendations/").ids().front(), "movie:3");
  EXPECT_LT(first("/v1/recommendations/").ids().front(), "movie:5") << "what they do says more";
}

TEST_F(PeopleSurface, AnExportHasAllOfAPerson) {
  put("movie:1", "Drama");
  describe(R"({"labels":["vip"]})");
  for (int i = 0; i < 450; ++i) event("view", ann_.id, "movie:" + std::to_string(i % 7));
  event("rate", ann_.id, "movie:1");
  const auto track = node_.call(
      "POST", "/interactions/track",
      R"({"contentId":"movie:1","interactionType":"view","moodAtInteraction":"calm"})", ann_.as());
  const auto reply = node_.get("/v1/users/" + ann_.id + "/export", ann_.as());
  ASSERT_EQ(reply.status(), 200);
  ASSERT_EQ(reply.json.kind, JsonKind::kObject) << reply.body().substr(0, 500);
  EXPECT_EQ(reply.at("user"), ann_.id);
  EXPECT_EQ(reply.at("described.labels.0"), "vip");
  EXPECT_EQ(reply.size("items"), 7u);
  EXPECT_GE(reply.size("history"), 451u) << "over several pieces";
  EXPECT_EQ(reply.size("tracked"), track.status() == 201 ? 1u : 0u) << track.body();
  EXPECT_EQ(reply.at("profile.rated"), "1");
  EXPECT_EQ(reply.header("Content-Disposition"), "attachment; filename=\"person.json\"");
  const auto nobody = node_.get("/v1/users/nobody/export", root_.as());
  EXPECT_EQ(nobody.size("history"), 0u);
  EXPECT_EQ(nobody.json.kind, JsonKind::kObject);
  EXPECT_EQ(node_.get("/v1/users/1001/export", ann_.as()).status(), 403);
}

}  // namespace
}  // namespace millrace
