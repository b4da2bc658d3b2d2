#include <gtest/gtest.h>

#include "tests/support/test_node.h"

namespace millrace {
namespace {

std::string like(const std::string& user, const std::string& item, const std::string& id = {}) {
  return "{" + (id.empty() ? "" : "\"id\":\"" + id + "\",\"source\":\"app\",") +
         "\"type\":\"like\",\"data\":{\"user\":\"" + user + "\",\"item\":\"" + item + "\"}}";
}

TEST(SurfacesEvents, OneEventIsReadAtThePositionThatItsAnswerNames) {
  TestNode node;
  node.put("movie:1");
  for (int i = 1; i <= 20; ++i) {
    const auto sent = node.call("POST", "/v1/events", like("u" + std::to_string(i), "movie:1"));
    ASSERT_EQ(sent.status(), 200) << sent.body();
    EXPECT_EQ(sent.at("accepted"), "1");
    ASSERT_FALSE(sent.position().empty());
    const auto by_header =
        node.get("/v1/items/movie:1", {{"x-millrace-position", sent.position()}});
    EXPECT_EQ(by_header.number("likes"), i);
    const auto by_query = node.get("/v1/items/movie:1?position=" + sent.position());
    EXPECT_EQ(by_query.number("likes"), i);
  }
}

TEST(SurfacesEvents, AMintedIdIsReturnedWithItsPlace) {
  TestNode node;
  const auto sent = node.call("POST", "/v1/events",
                              "[" + like("u", "movie:1", "e1") + "," + like("u", "movie:2") + "]");
  ASSERT_EQ(sent.size("ids"), 1u) << sent.body();
  EXPECT_EQ(sent.at("ids.0.index"), "1");
  EXPECT_EQ(sent.at("ids.0.id").size(), 36u);
  EXPECT_EQ(sent.at("ids.0.id")[14], '7');
}

TEST(SurfacesEvents, WaitingAccountsForEveryEventSent) {
  TestNode node;
  const auto first =
      node.call("POST", "/v1/events?wait=applied",
                "[" + like("u", "movie:1", "e1") + "," + like("u", "movie:1", "e2") + "]");
  EXPECT_EQ(first.at("accepted"), "2");
  const std::string body = "[" + like("u", "movie:1", "e1") + "," + like("u", "movie:2", "e3") +
                           "," + like("u", "movie:2", "e3") + "," + like("", "movie:2", "e4") +
                           "," + R"({"type":"dance","data":{"user":"u","item":"i"}})" + "]";
  const auto second = node.call("POST", "/v1/events?wait=applied", body);
  ASSERT_EQ(second.status(), 200);
  EXPECT_EQ(second.at("accepted"), "1");
  EXPECT_EQ(second.at("duplicates"), "2");
  ASSERT_EQ(second.size("rejected"), 2u) << second.body();
  EXPECT_EQ(second.at("rejected.0.index"), "3");
  EXPECT_EQ(second.at("rejected.0.id"), "e4");
  EXPECT_EQ(second.at("rejected.0.field"), "data.user");
  EXPECT_EQ(second.at("rejected.1.index"), "4");
  EXPECT_EQ(second.at("rejected.1.field"), "type");
}

TEST(SurfacesEvents, CopiesInFlightAtOnceCountOnce) {
  TestNode node;
  node.put("movie:1");
  node.log().hold_appends();
  std::vector<std::future<TestReply>> sent;
  for (int i = 0; i < 8; ++i) {
    sent.push_back(node.begin("POST", "/v1/events?wait=applied", like("u", "movie:1", "the same")));
  }
  node.log().release_appends();
  int accepted = 0, duplicates = 0;
  for (auto& one : sent) {
    const auto reply = one.get();
    accepted += std::stoi(reply.at("accepted"));
    duplicates += std::stoi(reply.at("duplicates"));
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(duplicates, 7);
  EXPECT_EQ(node.get("/v1/items/movie:1").number("likes"), 1);
}

TEST(SurfacesEvents, AnEventThatItsRuleRefusesIsRejectedWhenWaited) {
  TestNode node;
  const auto sent =
      node.call("POST", "/v1/events?wait=applied",
                R"({"id":"r1","type":"rate","data":{"user":"u","item":"movie:1","value":7}})");
  EXPECT_EQ(sent.at("accepted"), "0") << sent.body();
  ASSERT_EQ(sent.size("rejected"), 1u);
  EXPECT_EQ(sent.at("rejected.0.id"), "r1");
}

TEST(SurfacesEvents, TheIdempotencyKeyIsTheEventsId) {
  TestNode node;
  const TestNode::Headers key = {{"idempotency-key", "k-1"}};
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", like("u", "m"), key).at("accepted"), "1");
  const auto again = node.call("POST", "/v1/events?wait=applied", like("u", "m"), key);
  EXPECT_EQ(again.at("duplicates"), "1");
  const std::string named = R"({"id":"k-1","type":"like","data":{"user":"u","item":"m"}})";
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", named).at("duplicates"), "1");
  const std::string many = "[" + like("u", "a") + "," + like("u", "b") + "]";
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", many, key).at("accepted"), "2");
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", many, key).at("duplicates"), "2");
  const auto bad = node.call("POST", "/v1/events", many, {{"idempotency-key", "a b"}});
  EXPECT_EQ(bad.status(), 400);
  EXPECT_EQ(bad.at("field"), "Idempotency-Key");
}

TEST(SurfacesEvents, EveryFormIsTaken) {
  TestNode node;
  const auto type = [](const char* name) { return TestNode::Headers{{"content-type", name}}; };
  const std::string structured =
      R"({"specversion":"1.0","id":"s1","source":"app","type":"like","data":{"user":"u","item":"m"}})";
  EXPECT_EQ(
      node.call("POST", "/v1/events?wait=applied", structured, type("application/cloudevents+json"))
          .at("accepted"),
      "1");
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", "[" + structured + "]",
                      type("application/cloudevents-batch+json; charset=utf-8"))
                .at("duplicates"),
            "1");
  EXPECT_EQ(node.call("POST", "/v1/events?wait=applied", like("u", "a") + "\n\n" + like("u", "b"),
                      type("application/x-ndjson"))
                .at("accepted"),
            "2");
  const auto binary = node.call("POST", "/v1/events?wait=applied", R"({"user":"u","item":"m"})",
                                {{"content-type", "application/json"},
                                 {"ce-specversion", "1.0"},
                                 {"ce-type", "like"},
                                 {"ce-source", "app"},
                                 {"ce-id", "b1"}});
  EXPECT_EQ(binary.at("accepted"), "1") << binary.body();
}

TEST(SurfacesEvents, RefusesBodiesThatAreNone) {
  TestNode node;
  EXPECT_EQ(node.call("POST", "/v1/events", "not json").status(), 400);
  EXPECT_EQ(node.call("POST", "/v1/events", "<e/>", {{"content-type", "text/xml"}}).status(), 415);
  const auto wait = node.call("POST", "/v1/events?wait=forever", like("u", "m"));
  EXPECT_EQ(wait.status(), 400);
  EXPECT_EQ(wait.at("field"), "wait");
}

TEST(SurfacesEvents, ALogThatCannotWriteIsA503AndReadsGoOn) {
  TestNode node;
  node.put("movie:1");
  node.log().refuse_appends("disk full");
  const auto refused = node.call("POST", "/v1/events", like("u", "movie:1"));
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(node.get("/v1/items/movie:1").status(), 200);
  EXPECT_EQ(node.call("PUT", "/v1/items/movie:2", "{}").status(), 503);
  node.log().accept_appends();
  EXPECT_EQ(node.call("POST", "/v1/events", like("u", "movie:1")).status(), 200);
}

TEST(SurfacesEvents, APositionIsWaitedForWithinBounds) {
  TestNode::Options options;
  options.surface.position_wait_ms = 30;
  TestNode node(options);
  node.put("movie:1");
  for (const char* bad : {"i9:0", "i0:99999", "c:77", "x", "i0:"}) {
    const auto reply = node.get(std::string("/v1/items?position=") + bad);
    EXPECT_EQ(reply.status(), 400) << bad;
    EXPECT_EQ(reply.at("field"), "position");
  }
  node.stop_applying();
  const auto sent = node.call("POST", "/v1/events", like("u", "movie:1"));
  ASSERT_EQ(sent.status(), 200);
  const auto late = node.get("/v1/items/movie:1?position=" + sent.position());
  EXPECT_EQ(late.status(), 503);
  EXPECT_EQ(late.header("Retry-After"), "1");
  const auto unknown = node.call("PUT", "/v1/items/movie:2", "{}");
  EXPECT_EQ(unknown.status(), 503);
  EXPECT_NE(unknown.at("detail").find("outcome unknown"), std::string::npos);
  EXPECT_FALSE(unknown.position().empty());
  const auto waited = node.call("POST", "/v1/events?wait=applied", like("u", "movie:1"));
  EXPECT_EQ(waited.status(), 503);
  EXPECT_FALSE(waited.position().empty());
}

}  // namespace
}  // namespace millrace
