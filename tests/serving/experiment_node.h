#pragma once
#include <gtest/gtest.h>

#include <string>

#include "tests/support/eventually.h"
#include "tests/support/people.h"

namespace millrace {

// The body of seed 002, word for word.
inline constexpr const char* kSeedExperiment = R"({
  "experiment_id": "rec_test_v1",
  "name": "Recommendation Algorithm Test",
  "variants": [
    {"name": "control", "config": {"algorithm": "collaborative"}},
    {"name": "treatment", "config": {"algorithm": "deep_learning"}}
  ],
  "traffic_allocation": {"control": 0.5, "treatment": 0.5},
  "success_metrics": ["click_through_rate", "conversion_rate"],
  "start_date": "2024-01-01T00:00:00Z",
  "end_date": "2024-01-14T23:59:59Z",
  "minimum_sample_size": 1000
})";

// A node with an administrator, three products, and ways to run experiments on it.
class ExperimentNode : public ::testing::Test {
 protected:
  ExperimentNode() {
    root_ = enter(node_, "root", Role::kAdmin);
    for (const char* id : {"product:1", "product:2", "product:3"}) {
      EXPECT_EQ(node_.call("PUT", std::string("/v1/items/") + id, R"({"title":"P"})", root_.as())
                    .status(),
                201);
      event("watch", "early", id);  // so that every list has them
    }
  }

  TestReply create(const std::string& body) {
    return node_.call("POST", "/api/ab-test/create/", body, root_.as());
  }
  // One of `popular` against `recent` whose time it is, with `more` members.
  TestReply begin(const std::string& id, const std::string& more = {}) {
    return create(R"({"experiment_id":")" + id + R"(","name":"Test","variants":[)" +
                  R"({"name":"control","config":{"algorithm":"popular"}},)" +
                  R"({"name":"treatment","config":{"algorithm":"recent"}}],)" +
                  R"("start_date":"2026-01-01T00:00:00Z","end_date":"2027-12-31T00:00:00Z")" +
                  more + "}");
  }
  TestReply read(const std::string& id) {
    return node_.get("/api/ab-test/" + id + "/", root_.as());
  }
  TestReply stop(const std::string& id) {
    return node_.call("POST", "/api/ab-test/" + id + "/stop/", {}, root_.as());
  }
  TestReply recommend(const std::string& user, const std::string& query = {}) {
    return node_.get("/v1/recommendations/" + user + query, root_.as());
  }
  void event(const std::string& type, const std::string& user, const std::string& item,
             const std::string& recommendation = {}, bool wait = true) {
    std::string body =
        R"({"type":")" + type + R"(","data":{"user":")" + user + R"(","item":")" + item + "\"";
    if (!recommendation.empty()) body += R"(,"recommendation_id":")" + recommendation + "\"";
    const auto sent = node_.call("POST", wait ? "/v1/events?wait=applied" : "/v1/events",
                                 body + "}}", root_.as());
    EXPECT_EQ(sent.at("accepted"), "1") << sent.body();
  }
  // "2/3/1/1/0/0": people, answers, clicks, people who clicked, purchases, people who purchased.
  std::string sums(const std::string& id, int variant) {
    const auto reply = read(id);
    const auto of = "results.variants." + std::to_string(variant) + ".";
    std::string all;
    for (const char* name :
         {"people", "exposures", "clicks", "clickers", "conversions", "converters"}) {
      all += (all.empty() ? "" : "/") + reply.at(of + name);
    }
    return all;
  }
  bool become(const std::string& id, int variant, const std::string& wanted) {
    return eventually([&] { return sums(id, variant) == wanted; });
  }

  TestNode node_;
  Person root_;
};

}  // namespace millrace
