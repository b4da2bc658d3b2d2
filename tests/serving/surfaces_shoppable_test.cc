// Seed 000, endpoint by endpoint and field by field.
#include "serving/surfaces/shoppable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

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
  TestReply post(const std::string& path, const Person& as, const std::string& key = {},
                 const std::string& recommendation = {}) {
    auto headers = as.token.empty() ? TestNode::Headers() : as.as();
    if (!key.empty()) headers.emplace_back("idempotency-key", key);
    if (!recommendation.empty()) headers.emplace_back("x-millrace-recommendation", recommendation);
    return node_.call("POST", kBase + path, {}, headers);
  }
  TestReply get(const std::string& path, const Person& as = {}) {
    return node_.get(kBase + path, as.token.empty() ? TestNode::Headers() : as.as());
  }
  // A part of the score that a video has in somebody's feed; NaN: it is not in it.
  double part(const std::string& id, const std::string& name, const Person& of) {
    const auto feed = get("?explain=true&limit=100", of);
    for (std::size_t i = 0; i < feed.size(""); ++i) {
      const auto at = std::to_string(i);
      if (feed.at(at + ".id") == id) return feed.number(at + ".parts." + name);
    }
    return std::nan("");
  }
  // Six videos of product 200, and two of product 201.
  void two_products() {
    for (const char* id : {"200", "201"}) put("product:" + std::string(id), R"("title":"P")");
    for (int i = 11; i <= 18; ++i) {
      video(i, R"("title":"Of a product","parent":"product:)" + std::to_string(i < 17 ? 200 : 201) +
                   '"');
    }
  }
  // The most of product 200 that follow one another.
  static std::size_t longest_row(const std::vector<std::string>& ids) {
    std::size_t row = 0, longest = 0;
    for (const auto& id : ids) {
      const auto number = std::stoi(id.substr(id.find(':') + 1));
      row = number >= 11 && number < 17 ? row + 1 : 0;
      longest = std::max(longest, row);
    }
    return longest;
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

// Both are in the log before either is applied.
TEST_F(Shoppable, TogglesOfOnePersonAtOnceAreTakenInTurn) {
  for (const char* path : {"1/like/", "1/save_video/"}) {
    const auto what = std::string(path) == "1/like/" ? "liked" : "saved";
    node_.log().hold_appends();
    auto first = node_.begin("POST", kBase + path, {}, ann_.as());
    auto second = node_.begin("POST", kBase + path, {}, ann_.as());
    auto third = node_.begin("POST", kBase + path, {}, ann_.as());
    node_.log().release_appends();
    EXPECT_EQ(first.get().at(what), "true");
    EXPECT_EQ(second.get().at(what), "false");
    EXPECT_EQ(third.get().at(what), "true");
    EXPECT_EQ(get("1/", ann_).at(std::string("is_") + what), "true");
  }
  EXPECT_EQ(get("1/", ann_).at("likes_count"), "1");
}

TEST_F(Shoppable, WhatAToggleWasIsKnownAfterARestartAndInTheHistory) {
  post("1/like/", ann_, "k1");
  post("1/like/", ann_, "k2");
  node_.restart();
  EXPECT_EQ(post("1/like/", ann_, "k1").at("liked"), "true") << "as it was when it was sent first";
  EXPECT_EQ(post("1/like/", ann_, "k2").at("liked"), "false");
  EXPECT_EQ(get("1/", ann_).at("likes_count"), "0");
  const auto history = node_.get("/v1/users/" + ann_.id + "/history", ann_.as());
  EXPECT_EQ(history.at("items.0.type"), "unlike") << history.body();
  EXPECT_EQ(history.at("items.1.type"), "like");
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

TEST_F(Shoppable, AVideoHasTheCategoriesOfItsProductAsLongAsThatIsThere) {
  put("product:102", R"("title":"Pan","categories":["kitchen","pans"])");
  video(4, R"("title":"Four","parent":"product:102")");
  post("3/like/", ann_);  // of the kitchen
  EXPECT_EQ(part("4", "category", ann_), 2.0);
  post("4/like/", ann_);  // of both
  EXPECT_EQ(part("4", "category", ann_), 2.0) << "once";
  EXPECT_EQ(part("4", "category", bob_), 0);
  post("4/like/", ann_);
  const auto to = R"({"title":"Spade","categories":["garden"]})";
  ASSERT_EQ(node_.call("PUT", "/v1/items/product:102", to, root_.as()).status(), 200);
  EXPECT_EQ(part("4", "category", ann_), 0) << "the product is no longer of the kitchen";
  post("4/save_video/", bob_);
  EXPECT_EQ(part("4", "category", bob_), 2.0);
  ASSERT_EQ(node_.call("DELETE", "/v1/items/product:102", {}, root_.as()).status(), 204);
  EXPECT_TRUE(std::isnan(part("4", "category", bob_)));
  EXPECT_EQ(get("4/", bob_).status(), 404);
  EXPECT_EQ(get("saved/", bob_).body(), "[]");
}

TEST_F(Shoppable, TheTrendScoreMovesAsEventsArrive) {
  double last = 0;
  for (const char* act : {"1/view/", "1/like/", "1/save_video/", "1/share/"}) {
    post(act, ann_);
    const auto now = get("1/").number("trend_score");
    EXPECT_GT(now, last) << act;
    EXPECT_LT(now, 1) << act;
    last = now;
  }
  EXPECT_NEAR(last, 16.0 / (16 + 10), 1e-6) << "view 1, like 4, save 5, share 6";
  node_.clock().advance(6LL * 3600 * 1000);
  EXPECT_NEAR(get("1/").number("trend_score"), 8.0 / (8 + 10), 1e-6) << "a half-life later";
  post("1/like/", ann_);
  EXPECT_NEAR(get("1/").number("trend_score"), 4.0 / (4 + 10), 1e-6) << "an unlike takes 4";
  for (int i = 0; i < 300; ++i) post("1/share/", bob_);
  EXPECT_GT(get("1/").number("trend_score"), 0.99);
  EXPECT_LE(get("1/").number("trend_score"), 1);
}

TEST_F(Shoppable, VarietyIsASettingThatIsOffHereAndOnInV1) {
  two_products();
  for (int i = 11; i < 17; ++i) post(std::to_string(i) + "/share/", bob_);  // before all others
  EXPECT_EQ(longest_row(get("?seed=1", ann_).ids("")), 6u) << "strictly by score";
  const auto varied = get("?seed=1&in_a_row=2", ann_);
  EXPECT_EQ(longest_row(varied.ids("")), 2u);
  EXPECT_EQ(varied.size(""), 11u) << "all are still there";
  EXPECT_EQ(longest_row(get("?seed=1&in_a_row=1", ann_).ids("")), 1u);
  const auto v1 = [this](const std::string& query) {
    return node_.get("/v1/feed/" + ann_.id + "?kind=video&seed=1" + query, ann_.as()).ids();
  };
  EXPECT_EQ(longest_row(v1("")), 2u);
  EXPECT_EQ(longest_row(v1("&in_a_row=0")), 6u);
  EXPECT_EQ(v1("&exclude=video:1,video:2,video:3,video:17,video:18").size(), 2u)
      << "nothing to put between";
  std::vector<std::string> paged;
  for (auto page = get("?in_a_row=2&limit=4", ann_);; page = get(next(page), ann_)) {
    for (const auto& id : page.ids("")) paged.push_back(id);
    if (next(page).empty()) break;
  }
  EXPECT_EQ(longest_row(paged), 2u);
  EXPECT_EQ(std::set<std::string>(paged.begin(), paged.end()).size(), 11u);
}

TEST_F(Shoppable, WhatWasJustWatchedIsASettingThatIsOffHereAndOnInV1) {
  post("1/view/", ann_);
  post("2/like/", ann_);
  const auto here = [this](const std::string& query) { return get(query, ann_).size(""); };
  const auto v1 = [this](const std::string& query) {
    auto ids = node_.get("/v1/feed/" + ann_.id + "?kind=video&" + query, ann_.as()).ids();
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(here(""), 3u);
  EXPECT_EQ(here("?rest=600"), 2u);
  EXPECT_EQ(v1(""), (Ids{"video:2", "video:3"})) << "a like alone is no watching";
  EXPECT_EQ(v1("rest=0"), (Ids{"video:1", "video:2", "video:3"}));
  EXPECT_EQ(node_.get("/v1/feed/" + bob_.id + "?kind=video", bob_.as()).size("items"), 3u);
  node_.clock().advance(599'000);
  EXPECT_EQ(v1(""), (Ids{"video:2", "video:3"}));
  node_.clock().advance(2'000);
  EXPECT_EQ(v1("").size(), 3u);
  EXPECT_EQ(v1("rest=3600").size(), 2u);
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
                                                        {"in_a_row=101", "in_a_row"},
                                                        {"in_a_row=-1", "in_a_row"},
                                                        {"rest=soon", "rest"},
                                                        {"rest=31536001", "rest"},
                                                        {"cursor=x", "cursor"},
                                                        {"cursor=bm9uZQ", "cursor"},
                                                        {"position=i9:1", "position"}}) {
    const auto reply = get("?" + query, ann_);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
  for (const char* act : {"1/like/", "1/save_video/", "1/share/", "1/view/"}) {
    const auto reply = post(act, ann_, {}, std::string(257, 'r'));
    EXPECT_EQ(reply.status(), 400) << act;
    EXPECT_EQ(reply.at("field"), "X-Millrace-Recommendation") << act;
  }
  EXPECT_EQ(get("1/").at("likes_count"), "0") << "nothing was done";
}

}  // namespace
}  // namespace millrace
