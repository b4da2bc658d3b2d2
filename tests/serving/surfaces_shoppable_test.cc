// Seed 000, endpoint by endpoint and field by field.
#include "serving/surfaces/shoppable.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/people.h"

namespace millrace {
namespace {

const std::string kBase = "/api/v1/shoppable-videos/";

class Shoppable : public ::testing::Test {
 protected:
  Shoppable() {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
    bob_ = enter(node_, "bob");
    put("product:101", R"("title":"Smart Watch","price":"199.99","categories":["wearables"])");
    video(1,
          R"("title":"Amazing Gadget Review","categories":["wearables"],"tags":["tech","gadgets"],)"
          R"("video_file":"https://example.org/1.mp4","product_id":101)");
    video(2, R"("title":"Two","categories":["kitchen"],"tags":["tech"],"product_id":"none")");
    video(3, R"("title":"Three","categories":["kitchen"],"tags":["pans"])");
  }

  void put(const std::string& id, const std::string& members) {
    const auto reply = node_.call("PUT", "/v1/items/" + id, "{" + members + "}", root_.as());
    ASSERT_EQ(reply.status(), 201) << reply.body();
  }
  void video(int number, const std::string& members) {
    put("video:" + std::to_string(number), members);
  }
  TestReply post(const std::string& path, const Person& as, const std::string& key = {}) {
    auto headers = as.token.empty() ? TestNode::Headers() : as.as();
    if (!key.empty()) headers.emplace_back("idempotency-key", key);
    return node_.call("POST", kBase + path, {}, headers);
  }
  TestReply get(const std::string& path, const Person& as = {}) {
    return node_.get(kBase + path, as.token.empty() ? TestNode::Headers() : as.as());
  }
  // What follows the base in the `Link` to the next page; empty on the last.
  static std::string next(const TestReply& page) {
    const auto link = page.header("Link");
    const auto begin = link.find('?');
    return begin == std::string::npos ? "" : link.substr(begin, link.find('>') - begin);
  }

  TestNode node_;
  Person root_, ann_, bob_;
  const Person nobody_;
};

TEST_F(Shoppable, AVideoHasExactlyTheSeedsFields) {
  post("1/like/", ann_);
  const auto one = get("1/", ann_);
  ASSERT_EQ(one.status(), 200) << one.body();
  EXPECT_TRUE(one.body().starts_with(
      R"({"id":1,"title":"Amazing Gadget Review","video_file":"https://example.org/1.mp4",)"
      R"("product":{"id":101,"name":"Smart Watch","price":199.99},)"
      R"("likes_count":1,"is_liked":true,"is_saved":false,"trend_score":0.)"))
      << one.body();
  EXPECT_EQ(get("1/", bob_).at("is_liked"), "false");
  EXPECT_EQ(get("1/").at("is_liked"), "false");
  EXPECT_EQ(get("2/").at("product"), "null") << "no product has that id";
  EXPECT_EQ(get("3/").at("product"), "null");
  EXPECT_EQ(get("3/").at("video_file"), "");
  EXPECT_EQ(get("3/").at("trend_score"), "0");
}

TEST_F(Shoppable, WhatIsNoVideoIsNotFound) {
  put("video:name", R"("title":"No number")");
  put("video:7", R"("title":"Of another kind","kind":"clip")");
  put("video:8", R"("title":"Hidden","hidden":true)");
  for (const char* id : {"4", "7", "8", "0", "name", "-1", "1x"}) {
    EXPECT_EQ(get(std::string(id) + "/").status(), 404) << id;
    for (const char* act : {"/like/", "/save_video/", "/share/", "/view/"}) {
      EXPECT_EQ(post(id + std::string(act), ann_).status(), 404) << id << act;
    }
  }
}

TEST_F(Shoppable, LikesToggleAndAnswerTheCountBehindThem) {
  EXPECT_EQ(post("1/like/", nobody_).status(), 401);
  EXPECT_EQ(post("1/like/", ann_).body(), R"({"status":"success","liked":true,"likes_count":1})");
  EXPECT_EQ(post("1/like/", bob_).body(), R"({"status":"success","liked":true,"likes_count":2})");
  EXPECT_EQ(post("1/like/", ann_).body(), R"({"status":"success","liked":false,"likes_count":1})");
  EXPECT_EQ(get("1/", ann_).at("likes_count"), "1");
}

TEST_F(Shoppable, AToggleThatIsSentAgainTogglesOnce) {
  const std::string liked = R"({"status":"success","liked":true,"likes_count":1})";
  EXPECT_EQ(post("1/like/", ann_, "k1").body(), liked);
  EXPECT_EQ(post("1/like/", ann_, "k1").body(), liked);
  EXPECT_EQ(post("2/like/", ann_, "k1").at("liked"), "true") << "the key is the path's";
  EXPECT_EQ(post("1/like/", ann_, "k2").at("liked"), "false");
  EXPECT_EQ(post("1/like/", ann_, "two words").at("field"), "Idempotency-Key");
}

TEST_F(Shoppable, SavesToggleSharesAndViewsCount) {
  for (const char* path : {"1/save_video/", "1/share/", "1/view/"}) {
    EXPECT_EQ(post(path, nobody_).status(), 401) << path;
  }
  EXPECT_EQ(post("1/save_video/", ann_).body(), R"({"status":"success","saved":true})");
  EXPECT_EQ(get("1/", ann_).at("is_saved"), "true");
  EXPECT_EQ(post("1/save_video/", ann_).body(), R"({"status":"success","saved":false})");
  EXPECT_EQ(post("1/share/", ann_).body(), R"({"status":"success","shares_count":1})");
  EXPECT_EQ(post("1/share/", ann_).body(), R"({"status":"success","shares_count":2})");
  EXPECT_EQ(post("1/view/", bob_).body(), R"({"status":"success","views_count":1})");
  EXPECT_EQ(post("1/view/", bob_, "v").body(), R"({"status":"success","views_count":2})");
  EXPECT_EQ(post("1/view/", bob_, "v").body(), R"({"status":"success","views_count":2})");
}

TEST_F(Shoppable, LikedAndSavedVideosAreListedTheLastFirst) {
  EXPECT_EQ(get("liked/").status(), 401);
  EXPECT_EQ(get("saved/").status(), 401);
  for (const char* path : {"1/like/", "3/like/", "2/save_video/"}) {
    post(path, ann_);
    node_.clock().advance(1'000);
  }
  const auto liked = get("liked/?limit=1", ann_);
  EXPECT_EQ(liked.at("0.id"), "3");
  EXPECT_EQ(liked.size(""), 1u);
  const auto rest = get("liked/" + next(liked), ann_);
  EXPECT_EQ(rest.at("0.id"), "1");
  EXPECT_EQ(next(rest), "");
  EXPECT_EQ(get("saved/", ann_).at("0.id"), "2");
  EXPECT_EQ(get("saved/", bob_).body(), "[]");
}

TEST_F(Shoppable, TheFeedsScoresAreTheSeeds) {
  put("product:102", R"("title":"Pan","categories":["kitchen"],"tags":["pans"])");
  const auto viewed = node_.call(
      "POST", "/v1/events?wait=applied",
      R"({"type":"product_view","data":{"user":")" + ann_.id + R"(","item":"product:102"}})",
      ann_.as());
  ASSERT_EQ(viewed.at("accepted"), "1") << viewed.body();
  post("1/like/", bob_);
  post("1/share/", bob_);
  post("1/view/", bob_);
  const auto feed = get("?explain=true&seed=7", ann_);
  ASSERT_EQ(feed.status(), 200) << feed.body();
  ASSERT_EQ(feed.size(""), 3u);
  double last = 1e9;
  for (const char* at : {"0", "1", "2"}) {
    const auto of = [&](const char* part) {
      return feed.number(std::string(at) + ".parts." + part);
    };
    const auto id = feed.at(std::string(at) + ".id");
    const auto score = feed.number(std::string(at) + ".score");
    EXPECT_EQ(of("category"), id == "1" ? 0 : 2.0) << id;
    EXPECT_EQ(of("tags"), id == "3" ? 1.5 : 0) << id;
    EXPECT_NEAR(of("engagement"), id == "1" ? 0.01 + 1.0 + 1.2 : 0, 1e-9) << id;
    EXPECT_NEAR(of("trend"), 4.0 * feed.number(std::string(at) + ".trend_score"), 1e-6) << id;
    EXPECT_GE(of("random"), 0) << id;
    EXPECT_LE(of("random"), 0.5) << id;
    EXPECT_NEAR(score, of("category") + of("tags") + of("engagement") + of("trend") + of("random"),
                1e-9);
    EXPECT_LE(score, last);
    last = score;
  }
}

TEST_F(Shoppable, TheFeedIsABareArrayInPagesOfOneOrder) {
  const auto whole = get("?seed=5", ann_);
  EXPECT_EQ(whole.size(""), 3u);
  EXPECT_EQ(whole.header("X-Millrace-Seed"), "5");
  EXPECT_EQ(whole.header("Link"), "");
  EXPECT_EQ(get("?seed=5", ann_).body(), whole.body());
  EXPECT_EQ(whole.find("0.score"), nullptr) << "only when asked for";
  const auto first = get("?limit=2", ann_);
  const auto second = get(next(first), ann_);
  EXPECT_EQ(second.header("X-Millrace-Seed"), first.header("X-Millrace-Seed"));
  EXPECT_EQ(next(second), "");
  const auto seed = "?seed=" + first.header("X-Millrace-Seed");
  const std::set<std::string> shown = {first.at("0.id"), first.at("1.id"), second.at("0.id")};
  EXPECT_EQ(shown.size(), 3u);
  EXPECT_EQ(get(seed, ann_).at("2.id"), second.at("0.id"));
  EXPECT_NE(get("").header("X-Millrace-Seed"), get("").header("X-Millrace-Seed"));
}

TEST_F(Shoppable, WhatIsAskedWronglyIsNamed) {
  for (const auto& [query, field] :
       std::vector<std::pair<std::string, std::string>>{{"limit=0", "limit"},
                                                        {"limit=101", "limit"},
                                                        {"seed=-1", "seed"},
                                                        {"seed=9007199254740992", "seed"},
                                                        {"explain=maybe", "explain"},
                                                        {"cursor=x", "cursor"},
                                                        {"cursor=bm9uZQ", "cursor"},
                                                        {"position=i9:1", "position"}}) {
    const auto reply = get("?" + query, ann_);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
}

}  // namespace
}  // namespace millrace
