// What the recommendation engine promises of freshness and erasure, over the API.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "processors/training/linear_model.h"
#include "tests/support/eventually.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

constexpr int kItems = 60;
constexpr int kNewPeople = 200;
constexpr const char* kGenres[] = {"Action", "Drama", "Comedy"};

std::string item_of(int number) { return "movie:" + std::to_string(number); }

// A batch in one request, visible when it is answered.
void send(TestNode& node, const std::vector<std::pair<std::string, std::string>>& likes) {
  std::string body = "[";
  for (const auto& [user, item] : likes) {
    body += (body.size() > 1 ? "," : "") + (R"({"type":"like","data":{"user":")" + user) +
            R"(","item":")" + item + "\"}}";
  }
  const auto sent = node.call("POST", "/v1/events?wait=applied", body + "]");
  ASSERT_EQ(sent.at("accepted"), std::to_string(likes.size())) << sent.body();
}

// People who keep to one genre each.
void populate(TestNode& node) {
  for (int i = 0; i < kItems; ++i) {
    node.put(item_of(i), R"("categories":[")" + std::string(kGenres[i % 3]) + "\"]");
  }
  std::mt19937 random(4);
  for (int person = 0; person < 60; ++person) {
    std::vector<std::pair<std::string, std::string>> likes;
    for (int i = 0; i < 14; ++i) {
      const auto number = static_cast<int>(random() % (kItems / 3)) * 3 + person % 3;
      likes.emplace_back("p" + std::to_string(person), item_of(number));
    }
    send(node, likes);
  }
}

TEST(Bars, TenLikesInANewGenreChangeTheNextAnswer) {
  TestNode node;
  populate(node);
  std::vector<double> waited_ms;
  for (int person = 0; person < kNewPeople; ++person) {
    const auto user = "new" + std::to_string(person);
    const auto path = "/v1/recommendations/" + user + "?algorithm=hybrid_ensemble&limit=6";
    const auto genre = person % 3;
    const auto before = node.get(path);
    EXPECT_NE(before.at("level"), "personal");
    std::vector<std::pair<std::string, std::string>> likes;
    for (int i = 0; i < 9; ++i) likes.emplace_back(user, item_of(3 * i + genre));
    send(node, likes);
    const auto from = std::chrono::steady_clock::now();
    send(node, {{user, item_of(27 + genre)}});
    const auto after = node.get(path);
    waited_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count());
    EXPECT_EQ(after.at("level"), "personal");
    EXPECT_NE(after.ids(), before.ids());
    int of_genre = 0;
    for (const auto& id : after.ids()) of_genre += std::stoi(id.substr(6)) % 3 == genre ? 1 : 0;
    EXPECT_GE(of_genre, 5) << after.body();
  }
  std::sort(waited_ms.begin(), waited_ms.end());
  EXPECT_LT(waited_ms[kNewPeople * 99 / 100 - 1], 20) << "ms after the last like, p99";
}

TEST(Bars, ANewItemEntersTheNeighboursWithoutTraining) {
  TestNode node;
  populate(node);
  node.put("movie:new", R"("categories":["Drama"])");
  std::vector<std::pair<std::string, std::string>> likes;
  for (int i = 0; i < 20; ++i) {
    likes.emplace_back("fan" + std::to_string(i), item_of(1));
    likes.emplace_back("fan" + std::to_string(i), "movie:new");
  }
  send(node, likes);
  const auto similar = node.get("/v1/items/" + item_of(1) + "/similar?limit=3").ids();
  EXPECT_NE(std::find(similar.begin(), similar.end(), "movie:new"), similar.end());
  send(node, {{"somebody", item_of(1)}});
  for (const char* algorithm : {"collaborative", "hybrid_ensemble"}) {
    const auto ids =
        node.get("/v1/recommendations/somebody?limit=5&algorithm=" + std::string(algorithm)).ids();
    EXPECT_NE(std::find(ids.begin(), ids.end(), "movie:new"), ids.end()) << algorithm;
  }
}

// Names and what the model says of them, whatever the numbers of items.
std::vector<std::string> told_by(TestNode& node) {
  const auto job = node.trainer().train(processors::ModelKind::kLinear);
  EXPECT_TRUE(job);
  EXPECT_TRUE(eventually([&] {
    const auto found = node.jobs().find(job->id);
    return found && found->state == processors::JobState::kDone;
  }));
  const auto model = node.trainer().linear();
  std::vector<std::string> out;
  for (std::uint32_t place = 0; place < model->items.size(); ++place) {
    for (const auto& [target, weight] : model->row(place)) {
      out.push_back(std::string(node.engine().items().name(model->items[place])) + " " +
                    std::string(node.engine().items().name(model->items[target])) + " " +
                    std::to_string(weight));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// What may differ: the calibration and blend weights that learned from the person, who answered as
// long as they were there; ids that are refused as duplicates; the log's bytes; what was sold.
TEST(Bars, AfterAnErasureItIsAsIfThePersonHadNeverBeen) {
  TestNode with, never;
  std::mt19937 random(9);
  for (auto* node : {&with, &never}) populate(*node);
  static constexpr const char* kTypes[] = {"like", "unlike", "dislike", "save",  "rate",
                                           "skip", "watch",  "view",    "share", "click"};
  for (int i = 0; i < 120; ++i) {
    with.event(kTypes[random() % std::size(kTypes)], "erased",
               item_of(static_cast<int>(random() % kItems)), "\"value\":4");
  }
  // Others go on before and after, so that pairs with what the person did are among them.
  for (auto* node : {&with, &never}) send(*node, {{"p1", item_of(7)}, {"p2", item_of(8)}});
  EXPECT_EQ(with.call("DELETE", "/v1/users/erased").status(), 204);
  for (auto* node : {&with, &never}) send(*node, {{"p3", item_of(9)}, {"p4", item_of(10)}});
  for (int i = 0; i < kItems; ++i) {
    const auto a = *with.engine().items().find(item_of(i));
    const auto b = *never.engine().items().find(item_of(i));
    ASSERT_EQ(a, b);
    const auto x = with.engine().views().counts(a), y = never.engine().views().counts(b);
    EXPECT_EQ(x.likes, y.likes);
    EXPECT_EQ(x.watchers, y.watchers);
    EXPECT_EQ(x.raters, y.raters);
    EXPECT_EQ(x.popularity(), y.popularity());
    EXPECT_EQ(x.engagement(), y.engagement());
    for (std::size_t h = 0; h < 2; ++h) EXPECT_EQ(x.trend[h].rank_key(), y.trend[h].rank_key());
    const auto& pairs = with.engine().views().cooccurrence();
    const auto& pairs_never = never.engine().views().cooccurrence();
    EXPECT_EQ(pairs.people(a), pairs_never.people(b));
    EXPECT_EQ(pairs.row(a), pairs_never.row(b)) << item_of(i);
  }
  const auto model = told_by(with);
  EXPECT_FALSE(model.empty());
  EXPECT_EQ(model, told_by(never));
  for (const char* path : {"/v1/recommendations/p5?algorithm=linear&explain=true&seed=1",
                           "/v1/recommendations/p5?algorithm=collaborative&explain=true&seed=1",
                           "/v1/lists/popular", "/v1/lists/trending"}) {
    EXPECT_EQ(with.get(path).ids(), never.get(path).ids()) << path;
  }
}

}  // namespace
}  // namespace millrace
