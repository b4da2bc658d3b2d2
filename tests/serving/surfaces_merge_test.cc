// One person's events become another's, exactly once.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

constexpr int kItems = 12;
constexpr const char* kAnonymous = "01890a5d-ac96-774b-bcce-b302099a8057";

std::string item_of(int number) { return "movie:" + std::to_string(number); }

struct Act {
  std::string type, item;
  double value = 0;
};

std::vector<Act> acts(std::mt19937& random, int count) {
  static constexpr const char* kTypes[] = {"view", "like",  "unlike", "dislike", "save",
                                           "rate", "watch", "skip",   "share",   "purchase"};
  std::vector<Act> out;
  for (int i = 0; i < count; ++i) {
    out.push_back({kTypes[random() % std::size(kTypes)],
                   item_of(static_cast<int>(random() % kItems)),
                   static_cast<double>(random() % 10 + 1) / 2});
  }
  return out;
}

void perform(TestNode& node, const std::string& user, const std::vector<Act>& all) {
  for (const auto& act : all) {
    node.event(act.type, user, act.item, "\"value\":" + std::to_string(act.value));
  }
}

void put_items(TestNode& node) {
  for (int i = 0; i < kItems; ++i) {
    node.put(item_of(i), R"("categories":[")" + std::string(i % 2 == 0 ? "Drama" : "War") + "\"]");
  }
}

TestReply merge(TestNode& node, const std::string& from, const std::string& into,
                TestNode::Headers headers = {}) {
  return node.call("POST", "/v1/users/" + from + "/merge", R"({"into":")" + into + "\"}", headers);
}

// Everything about a person that is of their own doing.
struct Facts {
  std::vector<std::tuple<std::string, int, int, std::uint32_t, state::TypeCounts>> rows;
  state::TypeCounts counts;
  std::uint64_t events = 0;
  std::vector<std::string> history;
  friend bool operator==(const Facts&, const Facts&) = default;
};
Facts facts_of(TestNode& node, const std::string& user) {
  Facts out;
  const auto& store = node.engine().store(partition_of(user, node.engine().partitions()));
  const auto view = store.read(user).value();
  if (!view.person) return out;
  view.person->for_each_row([&](const state::ItemRow& row) {
    out.rows.emplace_back(node.engine().items().name(store.index_of(row.item)), row.flags,
                          row.rating_centi, row.order, row.counts);
  });
  std::sort(out.rows.begin(), out.rows.end(),
            [](const auto& a, const auto& b) { return std::get<0>(a) < std::get<0>(b); });
  out.counts = view.person->counts;
  out.events = view.person->events;
  const auto history = store.history(user, {.limit = SIZE_MAX}).value();
  for (const auto& entry : history) {
    out.history.push_back(std::to_string(entry.type) + " " + entry.event.item.value);
  }
  return out;
}

// By name: numbers of items differ from start to start.
std::map<std::string, std::uint32_t> pairs_of(TestNode& node, state::ItemIndex item) {
  std::map<std::string, std::uint32_t> out;
  for (const auto& neighbour : node.engine().views().cooccurrence().row(item)) {
    out[std::string(node.engine().items().name(neighbour.item))] = neighbour.count;
  }
  return out;
}

void expect_equal_items(TestNode& a, TestNode& b) {
  for (int i = 0; i < kItems; ++i) {
    const auto in_a = a.engine().items().find(item_of(i)),
               in_b = b.engine().items().find(item_of(i));
    const auto x = a.engine().views().counts(*in_a), y = b.engine().views().counts(*in_b);
    EXPECT_EQ(x.likes, y.likes) << item_of(i);
    EXPECT_EQ(x.watchers, y.watchers) << item_of(i);
    EXPECT_EQ(x.raters, y.raters) << item_of(i);
    EXPECT_EQ(x.average_rating(), y.average_rating()) << item_of(i);
    EXPECT_EQ(x.popularity(), y.popularity()) << item_of(i);
    EXPECT_EQ(x.engagement(), y.engagement()) << item_of(i);
    EXPECT_EQ(a.get("/v1/items/" + item_of(i)).body(), b.get("/v1/items/" + item_of(i)).body());
    std::uint64_t sold_a = 0, sold_b = 0;
    for (std::uint16_t p = 0; p < a.engine().partitions(); ++p) {
      sold_a += a.engine().store(p).cells().sold(*in_a);
      sold_b += b.engine().store(p).cells().sold(*in_b);
    }
    EXPECT_EQ(sold_a, sold_b) << item_of(i);
    EXPECT_EQ(pairs_of(a, *in_a), pairs_of(b, *in_b)) << item_of(i);
  }
}

TEST(SurfacesMerge, TheMergedPersonIsAsOneWhoDidEverythingThemself) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto own = acts(random, 25), other = acts(random, 40), crowd = acts(random, 30);
    TestNode merged, alone;
    for (auto* node : {&merged, &alone}) {
      put_items(*node);
      perform(*node, "crowd", crowd);
      perform(*node, "ann", own);
    }
    perform(merged, "anonymous", other);
    perform(alone, "ann", other);
    const auto done = merge(merged, "anonymous", "ann");
    ASSERT_EQ(done.status(), 200) << done.body();
    EXPECT_EQ(done.at("user"), "ann");
    EXPECT_EQ(done.at("merged"), "anonymous");
    EXPECT_FALSE(done.position().empty());
    EXPECT_EQ(facts_of(merged, "ann"), facts_of(alone, "ann"));
    EXPECT_EQ(merged.get("/v1/users/ann/profile").body(),
              alone.get("/v1/users/ann/profile").body());
    EXPECT_EQ(merged.get("/v1/users/anonymous/profile").at("events"), "0");
    EXPECT_EQ(merged.get("/v1/users/anonymous/history").size("items"), 0u);
    expect_equal_items(merged, alone);
    // Again, and over nothing but the log: the same.
    EXPECT_EQ(merge(merged, "anonymous", "ann").status(), 200);
    merged.restart(true);
    EXPECT_EQ(facts_of(merged, "ann"), facts_of(alone, "ann"));
    expect_equal_items(merged, alone);
  }
}

TEST(SurfacesMerge, TheOneMayBeMergedAgainAndErased) {
  TestNode node;
  put_items(node);
  perform(node, "a", {{"like", item_of(1)}, {"like", item_of(2)}});
  perform(node, "b", {{"like", item_of(1)}});
  EXPECT_EQ(merge(node, "a", "b").status(), 200);
  EXPECT_EQ(merge(node, "b", "c").status(), 200);
  EXPECT_EQ(node.get("/v1/users/c/profile").at("events"), "3");
  perform(node, "a", {{"like", item_of(3)}});  // begins anew
  EXPECT_EQ(merge(node, "a", "c").status(), 200);
  EXPECT_EQ(node.get("/v1/users/c/profile").at("events"), "4");
  EXPECT_EQ(node.call("DELETE", "/v1/users/c").status(), 204);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(node.engine().views().counts(*node.engine().items().find(item_of(i))).likes, 0);
  }
}

// An erasure that counts other events than there are does nothing, and the demand stays open.
TEST(SurfacesMerge, WhatComesWhileMergingIsMovedToo) {
  TestNode node;
  put_items(node);
  perform(node, "a", {{"like", item_of(1)}});
  const auto partition = partition_of("a", node.engine().partitions());
  // As another node would have said it, from what it saw before the last event came.
  const auto catalog = node.log().end(kCatalogPartition);
  node.log().push({Topic::kInteractions, partition},
                  encode(LogRecord{EraseUser{UserId("a"), catalog, 0}}));
  const auto done = merge(node, "a", "b");
  ASSERT_EQ(done.status(), 200) << done.body();
  EXPECT_EQ(node.get("/v1/users/a/profile").at("events"), "0");
  EXPECT_EQ(node.get("/v1/users/b/profile").at("events"), "1");
}

TEST(SurfacesMerge, NothingIsLostOfWhoGoesOnMeanwhile) {
  TestNode node;
  put_items(node);
  int sent = 0;
  for (int round = 0; round < 15; ++round) {
    perform(node, "a", {{"view", item_of(1)}, {"view", item_of(2)}});
    auto merging = node.begin("POST", "/v1/users/a/merge", R"({"into":"b"})");
    perform(node, "a", {{"view", item_of(3)}, {"view", item_of(4)}, {"view", item_of(5)}});
    EXPECT_EQ(merging.get().status(), 200);
    sent += 5;
    const auto events = [&](const char* user) {
      return node.get(std::string("/v1/users/") + user + "/profile").number("events");
    };
    ASSERT_EQ(events("a") + events("b"), sent);
  }
  EXPECT_EQ(merge(node, "a", "b").status(), 200);
  EXPECT_EQ(facts_of(node, "b").events, static_cast<std::uint64_t>(sent));
  EXPECT_EQ(facts_of(node, "a").events, 0u);
}

TEST(SurfacesMerge, WhatWasSaidGoesAlongUnlessSomethingWas) {
  TestNode node;
  node.call("PUT", "/v1/users/a", R"({"labels":["x"]})");
  node.call("PUT", "/v1/users/c", R"({"labels":["y"]})");
  EXPECT_EQ(merge(node, "a", "b").status(), 200);
  EXPECT_EQ(merge(node, "c", "b").status(), 200);
  EXPECT_EQ(node.get("/v1/users/b/export").at("described.labels.0"), "x");
  EXPECT_EQ(node.get("/v1/users/a/export").size("described.labels"), 0u);
  node.restart();
  EXPECT_EQ(node.get("/v1/users/b/export").at("described.labels.0"), "x");
}

TEST(SurfacesMerge, WhoMayMergeWhom) {
  TestNode node;
  const auto root = enter(node, "root", Role::kAdmin);
  const auto ann = enter(node, "ann"), bob = enter(node, "bob");
  EXPECT_EQ(merge(node, kAnonymous, ann.id).status(), 401);
  EXPECT_EQ(merge(node, kAnonymous, ann.id, ann.as()).status(), 200);
  EXPECT_EQ(merge(node, kAnonymous, ann.id, bob.as()).status(), 403) << "into another";
  EXPECT_EQ(merge(node, bob.id, ann.id, ann.as()).status(), 403) << "an account";
  EXPECT_EQ(merge(node, "short", ann.id, ann.as()).status(), 403) << "a name that can be guessed";
  EXPECT_EQ(merge(node, "short", ann.id, root.as()).status(), 200);
}

TEST(SurfacesMerge, WhatIsAskedWronglyIsNamed) {
  TestNode::Options options;
  options.surface.max_merged_events = 2;
  TestNode node(options);
  put_items(node);
  const auto field = [&](const std::string& body) {
    const auto reply = node.call("POST", "/v1/users/a/merge", body);
    return std::to_string(reply.status()) + " " + reply.at("field");
  };
  EXPECT_EQ(field("{}"), "400 into");
  EXPECT_EQ(field(R"({"into":""})"), "400 into");
  EXPECT_EQ(field(R"({"into":"a"})"), "400 into");
  EXPECT_EQ(field("[]"), "400 body");
  perform(node, "a", {{"like", item_of(1)}, {"like", item_of(2)}, {"like", item_of(3)}});
  EXPECT_EQ(field(R"({"into":"b"})"), "413 id");
  const auto forged = node.call(
      "POST", "/v1/events", R"({"type":"like","source":"/merge","data":{"user":"u","item":"i"}})");
  EXPECT_EQ(forged.at("rejected.0.field") + forged.at("errors.0.field"), "source") << forged.body();
}

}  // namespace
}  // namespace millrace
