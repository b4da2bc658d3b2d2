// Interactions tracked many at once, and how long they are kept.
#include "serving/surfaces/track.h"

#include <gtest/gtest.h>

#include <string>

#include "processors/expiry.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "tests/serving/interactions_world.h"

namespace millrace {
namespace {

// ---- many at once

TEST_F(Interactions, BulkSaysWhatBecameOfEach) {
  const auto bulk = [&](const std::string& rows, TestNode::Headers more = {}) {
    auto headers = ann_.as();
    headers.insert(headers.end(), more.begin(), more.end());
    return node_.call("POST", "/interactions/track/bulk", "{\"interactions\":[" + rows + "]}",
                      headers);
  };
  const auto end = node_.log().end({Topic::kInteractions, 0});
  const auto reply = bulk(R"({"contentId":"1","interactionType":"like","interactionValue":3},)"
                          R"({"contentId":"1","interactionType":"buy"},)"
                          R"({"userId":)" +
                          bob_.id +
                          R"(,"contentId":"1","interactionType":"like"},)"
                          R"(7,)"
                          R"({"contentId":"2","interactionType":"save"},)"
                          R"({"contentId":"1","interactionType":"like","interactionValue":8})");
  ASSERT_EQ(reply.status(), 200) << reply.body();
  EXPECT_FALSE(reply.position().empty());
  EXPECT_EQ(reply.at("tracked"), "3");
  EXPECT_EQ(reply.at("failed"), "3");
  ASSERT_EQ(reply.size("results"), 6u);
  EXPECT_EQ(reply.at("results.0.status"), "201");
  EXPECT_EQ(reply.at("results.1.index"), "1");
  EXPECT_EQ(reply.at("results.1.status"), "400");
  EXPECT_EQ(reply.at("results.1.field"), "interactionType");
  EXPECT_EQ(reply.at("results.2.status"), "403");
  EXPECT_EQ(reply.at("results.3.status"), "400");
  EXPECT_EQ(reply.at("results.4.status"), "201");
  EXPECT_EQ(reply.at("results.4.interaction.interactionType"), "save");
  EXPECT_EQ(reply.at("results.5.status"), "200") << "the row of the first";
  EXPECT_EQ(reply.at("results.5.interaction.interactionValue"), "8");
  EXPECT_EQ(reply.at("results.5.interaction.id"), reply.at("results.0.interaction.id"));
  EXPECT_EQ(get("history", "", ann_).at("total"), "2");
  EXPECT_LE(node_.log().end({Topic::kInteractions, 0}), end + 3);

  const TestNode::Headers key = {{"idempotency-key", "k1"}};
  const std::string two = R"({"contentId":"8","interactionType":"view"},)"
                          R"({"contentId":"9","interactionType":"view"})";
  const auto first = bulk(two, key), again = bulk(two, key);
  EXPECT_EQ(first.at("tracked"), "2");
  EXPECT_EQ(again.body(), first.body()) << "sent again, it counts once";
  EXPECT_EQ(node_.get("/v1/users/" + ann_.id + "/history", ann_.as()).size("items"), 5u);
}

TEST_F(Interactions, BulkThatIsWrongIsNamed) {
  for (const char* body : {R"({})", R"({"interactions":{}})", R"({"interactions":[]})", R"([])"}) {
    const auto reply = node_.call("POST", "/interactions/track/bulk", body, ann_.as());
    EXPECT_EQ(reply.status(), 400) << body;
    EXPECT_EQ(reply.at("field"), body[0] == '[' ? "body" : "interactions") << body;
  }
  EXPECT_EQ(node_.call("POST", "/interactions/track/bulk", "{}").status(), 401);
}

TEST(InteractionsBulk, AtMostSoManyComeAtOnce) {
  TestNode::Options options;
  options.surface.max_events = 2;
  TestNode node(options);
  const auto ann = enter(node, "ann");
  const std::string one = R"({"contentId":"1","interactionType":"like"})";
  const auto sent = [&](const std::string& rows) {
    return node.call("POST", "/interactions/track/bulk", "{\"interactions\":[" + rows + "]}",
                     ann.as());
  };
  EXPECT_EQ(sent(one + "," + one).status(), 200);
  const auto reply = sent(one + "," + one + "," + one);
  EXPECT_EQ(reply.status(), 400);
  EXPECT_EQ(reply.at("field"), "interactions");
}

// ---- retention

class InteractionsRetained : public ::testing::Test {
 protected:
  static TestNode::Options options() {
    TestNode::Options options;
    options.engine.proposed.tracked_retention = {
        {static_cast<std::uint32_t>(BuiltIn::kView), 2 * state::kDayMs}};
    return options;
  }
  void track(const std::string& id, const std::string& type) {
    const auto reply =
        node_.call("POST", kTrack,
                   R"({"contentId":)" + id + R"(,"interactionType":")" + type + "\"}", ann_.as());
    ASSERT_LE(reply.status(), 201) << reply.body();
  }
  std::string total(const std::string& query = {}) {
    return node_.get("/interactions/history/" + ann_.id + query, ann_.as()).at("total");
  }
  std::string counted() {
    return node_.get("/interactions/patterns/" + ann_.id, ann_.as()).at("totalInteractions");
  }

  TestNode node_{options()};
  Person ann_ = enter(node_, "ann");
};

TEST_F(InteractionsRetained, WhatIsOlderIsNotThereByTheClockOfTheRead) {
  track("1", "view");
  track("1", "like");
  node_.clock().advance(2 * state::kDayMs);
  EXPECT_EQ(total(), "2");
  EXPECT_EQ(counted(), "2");
  node_.clock().advance(1);
  EXPECT_EQ(total(), "1");
  EXPECT_EQ(total("?interactionType=view"), "0");
  EXPECT_EQ(total("?all=true"), "1");
  EXPECT_EQ(counted(), "1");
  const auto exported = node_.get("/interactions/export/" + ann_.id, ann_.as());
  EXPECT_EQ(exported.json.elements.size(), 1u);
  track("1", "view");
  EXPECT_EQ(total("?interactionType=view"), "1") << "a row of its own";
  EXPECT_EQ(node_.get("/interactions/history/" + ann_.id, ann_.as()).at("interactions.0.createdAt"),
            rfc3339(node_.clock().now()));
}

TEST_F(InteractionsRetained, TheDiskFollows) {
  track("1", "view");
  track("1", "like");
  const auto partition = partition_of(ann_.id, node_.engine().partitions());
  const auto& store = node_.engine().store(partition);
  const auto rows = [&] {
    EXPECT_TRUE(node_.engine().commit_all());
    int count = 0;
    EXPECT_TRUE(
        store.db().scan("X", {}, [&](std::string_view, std::string_view) { return ++count > 0; }));
    return count;
  };
  const auto demand = [&] {
    const auto expiry = processors::demand_expiry(node_.engine(), node_.log(), node_.clock().now());
    EXPECT_TRUE(expiry);
    Position end;
    end.include({Topic::kInteractions, partition},
                node_.log().end({Topic::kInteractions, partition}) - 1);
    EXPECT_TRUE(node_.engine().publisher().wait_reached(end, 10'000));
    return expiry->people;
  };
  EXPECT_EQ(rows(), 2);
  EXPECT_EQ(demand(), 0u);
  node_.clock().advance(3 * state::kDayMs);
  EXPECT_EQ(demand(), 1u);
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(demand(), 0u) << "nothing is left of it";
  ASSERT_EQ(node_.call("DELETE", "/v1/users/" + ann_.id, {}, ann_.as()).status() / 100, 2);
  EXPECT_EQ(rows(), 0) << "erased";
}

}  // namespace
}  // namespace millrace
