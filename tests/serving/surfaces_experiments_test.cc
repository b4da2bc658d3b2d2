// Experiments over their API: what may be asked for, who gets what, and what is counted.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "processors/experiments/arm.h"
#include "schemas/partitioner.h"
#include "tests/serving/experiment_node.h"

namespace millrace {
namespace {

// The field that an error of seed 002's form begins with.
std::string named(const TestReply& reply) {
  const auto details = reply.at("details");
  return details.substr(0, details.find(' '));
}

class ExperimentsSurface : public ExperimentNode {
 protected:
  // The first user, from u0 on, of that variant.
  std::string someone(const std::string& id, std::uint32_t variant) {
    const auto kept = node_.engine().catalog().view()->experiments().find(id);
    for (int i = 0;; ++i) {
      auto user = "u" + std::to_string(i);
      if (processors::arm_of(kept->asked, user) == variant) return user;
    }
  }
};

TEST_F(ExperimentsSurface, TheSeedsExampleIsCreated) {
  const auto made = create(kSeedExperiment);
  EXPECT_EQ(made.status(), 201) << made.body();
  EXPECT_FALSE(made.position().empty());
  EXPECT_EQ(made.at("experiment_id"), "rec_test_v1");
  EXPECT_EQ(made.at("kind"), "ab");
  EXPECT_EQ(made.at("state"), "ended") << "one whose end has passed may be created";
  EXPECT_EQ(made.at("variants.1.config.algorithm"), "deep_learning");
  EXPECT_EQ(made.at("traffic_allocation.control"), "0.5");
  EXPECT_EQ(made.at("success_metrics.1"), "conversion_rate");
  EXPECT_EQ(made.at("start_date"), "2024-01-01T00:00:00.000Z");
  EXPECT_EQ(made.at("end_date"), "2024-01-14T23:59:59.000Z");
  EXPECT_EQ(made.at("minimum_sample_size"), "1000");
  const auto again = create(kSeedExperiment);
  EXPECT_EQ(again.status(), 409);
  EXPECT_EQ(named(again), "experiment_id");
  const auto found = read("rec_test_v1");
  EXPECT_EQ(found.status(), 200);
  EXPECT_EQ(found.at("results.verdict"), "too_few_people");
  EXPECT_EQ(found.find("results.winner")->kind, JsonKind::kNull);
  EXPECT_EQ(found.size("results.comparisons"), 2u) << found.body();
  EXPECT_EQ(found.at("results.sample_ratio.mismatch"), "false");
}

TEST_F(ExperimentsSurface, ARepeatedRequestIsOne) {
  auto headers = root_.as();
  headers.emplace_back("idempotency-key", "k1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(node_.call("POST", "/api/ab-test/create/", kSeedExperiment, headers).status(), 201);
  }
}

TEST_F(ExperimentsSurface, WhatIsAskedWronglyIsNamed) {
  // What takes the place of what in the seed's body, and the field that is then wrong.
  const std::vector<std::array<std::string, 3>> wrongs = {
      {R"("experiment_id": "rec_test_v1",)", "", "experiment_id"},
      {R"("rec_test_v1")", R"("create")", "experiment_id"},
      {R"("rec_test_v1")", R"("")", "experiment_id"},
      {R"("rec_test_v1")", R"("a/b")", "experiment_id"},
      {R"("rec_test_v1")", R"("..")", "experiment_id"},
      {R"("rec_test_v1")", "7", "experiment_id"},
      {R"("rec_test_v1")", "\"" + std::string(65, 'a') + "\"", "experiment_id"},
      {R"("name": "Recommendation Algorithm Test",)", "", "name"},
      {R"("Recommendation Algorithm Test")", "[]", "name"},
      {R"("Recommendation Algorithm Test")", "\"" + std::string(257, 'a') + "\"", "name"},
      {R"("variants": [)", R"("variants": [7,)", "variants.0"},
      {R"("variants": [)", R"("variants": [],"others": [)", "variants"},
      {R"("variants": [)", R"("variants": {},"others": [)", "variants"},
      {R"({"name": "control", "config": {"algorithm": "collaborative"}},)", "", "variants"},
      {R"({"name": "control",)", "{", "variants.0.name"},
      {R"("name": "treatment")", R"("name": "control")", "variants.1.name"},
      {R"({"name": "treatment")", R"({"name": 7)", "variants.1.name"},
      {R"("config": {"algorithm": "deep_learning"})", R"("config": 7)", "variants.1.config"},
      {R"(, "config": {"algorithm": "deep_learning"})", "", "variants.1.config"},
      {R"({"algorithm": "deep_learning"})", "{}", "variants.1.config.algorithm"},
      {R"("deep_learning")", R"("deep")", "variants.1.config.algorithm"},
      {R"("deep_learning")", "7", "variants.1.config.algorithm"},
      {R"("deep_learning")", R"("feed","colour":1)", "variants.1.config.colour"},
      {R"("deep_learning")", R"("feed","feed_tag":-1)", "variants.1.config.feed_tag"},
      {R"("deep_learning")", R"("feed","feed_tag":"1")", "variants.1.config.feed_tag"},
      {R"({"control": 0.5, "treatment": 0.5})", "7", "traffic_allocation"},
      {R"({"control": 0.5, "treatment": 0.5})", "[0.5,0.5]", "traffic_allocation"},
      {R"("treatment": 0.5)", R"("treatment": 0.6)", "traffic_allocation"},
      {R"("treatment": 0.5)", R"("treatment": "0.5")", "traffic_allocation"},
      {R"("control": 0.5, "treatment": 0.5)", R"("control": 1.5, "treatment": -0.5)",
       "traffic_allocation"},
      {R"(, "treatment": 0.5)", "", "traffic_allocation"},
      {R"(, "treatment": 0.5)", R"(, "treatment": 0.5, "third": 0)", "traffic_allocation"},
      {R"(["click_through_rate", "conversion_rate"])", "[]", "success_metrics"},
      {R"(["click_through_rate", "conversion_rate"])", R"("clickers")", "success_metrics"},
      {R"("conversion_rate")", R"("revenue")", "success_metrics"},
      {R"("conversion_rate")", R"("click_through_rate")", "success_metrics"},
      {R"("2024-01-01T00:00:00Z")", R"("soon")", "start_date"},
      {R"("start_date": "2024-01-01T00:00:00Z",)", "", "start_date"},
      {R"("2024-01-14T23:59:59Z")", "7", "end_date"},
      {R"("2024-01-14T23:59:59Z")", R"("2024-01-01T00:00:00Z")", "end_date"},
      {"1000", "0", "minimum_sample_size"},
      {"1000", "1.5", "minimum_sample_size"},
      {"1000", "\"many\"", "minimum_sample_size"},
      {"1000", R"(1000,"kind":"abc")", "kind"},
      {"1000", R"(1000,"kind":7)", "kind"},
  };
  for (const auto& [from, to, field] : wrongs) {
    std::string body = kSeedExperiment;
    const auto at = body.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    body.replace(at, from.size(), to);
    const auto reply = create(body);
    EXPECT_EQ(reply.status(), 400) << body;
    EXPECT_EQ(named(reply), field) << reply.body();
  }
  EXPECT_EQ(named(create("7")), "body");
  EXPECT_EQ(named(create("{")), "body");
  EXPECT_EQ(node_.get("/api/ab-test/", root_.as()).at("count"), "0") << "none of them was created";
}

TEST_F(ExperimentsSurface, WhatMayBeLeftOutIsFilledIn) {
  const auto made = begin("a");
  EXPECT_EQ(made.status(), 201) << made.body();
  EXPECT_EQ(made.at("traffic_allocation.treatment"), "0.5");
  EXPECT_EQ(made.at("success_metrics.0"), "click_through_rate");
  EXPECT_EQ(made.at("minimum_sample_size"), "1000");
  EXPECT_EQ(made.at("state"), "running");
  const auto thirds = create(
      R"({"experiment_id":"b","name":"T","variants":[{"name":"a","config":{"algorithm":"feed"}},)"
      R"({"name":"b","config":{"algorithm":"feed","feed_tag":2.5}},)"
      R"({"name":"c","config":{"algorithm":"recent"}}],)"
      R"("traffic_allocation":{"a":0.3333333,"b":0.3333333,"c":0.3333334},)"
      R"("start_date":"2030-01-01T00:00:00Z","end_date":"2030-01-02T00:00:00Z"})");
  EXPECT_EQ(thirds.status(), 201) << thirds.body();
  EXPECT_EQ(thirds.at("state"), "scheduled");
  EXPECT_EQ(thirds.at("variants.1.config.feed_tag"), "2.5");
}

TEST_F(ExperimentsSurface, OnlyAdministratorsDealWithThem) {
  begin("a");
  const auto ann = enter(node_, "ann");
  const std::vector<std::pair<std::string, std::string>> calls = {{"POST", "/api/ab-test/create/"},
                                                                  {"GET", "/api/ab-test/"},
                                                                  {"GET", "/api/ab-test/a/"},
                                                                  {"POST", "/api/ab-test/a/stop/"}};
  for (const auto& [method, path] : calls) {
    EXPECT_EQ(node_.call(method, path, kSeedExperiment).status(), 401) << path;
    EXPECT_EQ(node_.call(method, path, kSeedExperiment, ann.as()).status(), 403) << path;
  }
  EXPECT_EQ(read("a").at("state"), "running");
}

TEST_F(ExperimentsSurface, AreListedReadAndStopped) {
  for (const char* id : {"c", "a", "b"}) EXPECT_EQ(begin(id).status(), 201);
  const auto page = node_.get("/api/ab-test/?limit=2", root_.as());
  EXPECT_EQ(page.status(), 200);
  EXPECT_EQ(page.at("count"), "3");
  EXPECT_EQ(page.at("experiments.0.experiment_id") + page.at("experiments.1.experiment_id"), "ab");
  const auto link = page.header("Link");
  ASSERT_NE(link, "");
  const auto rest = node_.get(link.substr(1, link.find('>') - 1), root_.as());
  EXPECT_EQ(rest.at("experiments.0.experiment_id"), "c");
  EXPECT_EQ(rest.header("Link"), "");
  EXPECT_EQ(named(node_.get("/api/ab-test/?limit=0", root_.as())), "limit");
  EXPECT_EQ(named(node_.get("/api/ab-test/?cursor=*", root_.as())), "cursor");

  EXPECT_EQ(read("none").status(), 404);
  EXPECT_EQ(stop("none").status(), 404);
  const auto stopped = stop("a");
  EXPECT_EQ(stopped.status(), 200);
  EXPECT_EQ(stopped.at("state"), "stopped");
  EXPECT_EQ(stopped.find("stopped_at")->kind, JsonKind::kString);
  EXPECT_EQ(stop("a").at("stopped_at"), stopped.at("stopped_at"));
  const auto trail = node_.get("/v1/admin/audit?action=experiment", root_.as());
  EXPECT_NE(trail.body().find("experiment.create"), std::string::npos) << trail.body();
}

// ---- who gets what

TEST_F(ExperimentsSurface, TheVariantsAlgorithmAnswers) {
  begin("a");
  for (const std::uint32_t variant : {0u, 1u}) {
    const auto user = someone("a", variant);
    for (int i = 0; i < 3; ++i) {
      const auto reply = recommend(user);
      EXPECT_EQ(reply.status(), 200) << reply.body();
      EXPECT_EQ(reply.at("algorithm"), variant == 0 ? "popular" : "recent");
      EXPECT_EQ(reply.at("experiment.id"), "a");
      EXPECT_EQ(reply.at("experiment.variant"), variant == 0 ? "control" : "treatment");
    }
  }
  const auto named = recommend("u1", "?algorithm=trending");
  EXPECT_EQ(named.find("experiment"), nullptr) << "whoever names an algorithm gets it";
  EXPECT_EQ(node_.get("/v1/feed/u1", root_.as()).find("experiment"), nullptr);
  stop("a");
  EXPECT_EQ(recommend("u1").find("experiment"), nullptr);
  EXPECT_EQ(recommend("u1").at("algorithm"), recommend("u1", "?algorithm=feed").at("algorithm"));
}

TEST_F(ExperimentsSurface, OnesTimeBeginsAndEnds) {
  begin("a");
  node_.clock().advance(2LL * 365 * 24 * 3600 * 1000);
  EXPECT_EQ(read("a").at("state"), "ended");
  EXPECT_EQ(recommend("u1").find("experiment"), nullptr);
}

TEST_F(ExperimentsSurface, AnswersThatWaitForAPositionAreInItToo) {
  const auto made = begin("a");
  const auto reply = recommend("u1", "?position=" + made.position());
  EXPECT_EQ(reply.at("experiment.id"), "a");
  EXPECT_EQ(recommend("u1", "?position=c:9999").status(), 400);
  EXPECT_EQ(recommend("u1", "?limit=0").at("field"), "limit");
}

// ---- what is counted

TEST_F(ExperimentsSurface, AnswersClicksAndPurchasesAreCounted) {
  begin("a");
  const auto ann = someone("a", 0), bob = someone("a", 1);
  const auto first = recommend(ann), second = recommend(ann);
  recommend(bob);
  EXPECT_TRUE(become("a", 0, "1/2/0/0/0/0")) << read("a").body();
  EXPECT_TRUE(become("a", 1, "1/1/0/0/0/0"));
  event("click", ann, "product:1", first.at("recommendation_id"));
  EXPECT_EQ(sums("a", 0), "1/2/1/1/0/0");
  event("view", ann, "product:2", first.at("recommendation_id"));
  EXPECT_EQ(sums("a", 0), "1/2/1/1/0/0") << "an answer is clicked once";
  event("click", ann, "product:2");
  EXPECT_EQ(sums("a", 0), "1/2/2/1/0/0") << "unnamed, of the newest answer that shows it";
  event("click", ann, "product:77");
  event("click", ann, "product:3", "no such answer");
  event("like", ann, "product:1");
  EXPECT_EQ(sums("a", 0), "1/2/2/1/0/0");
  event("purchase", ann, "product:1");
  event("purchase", ann, "product:77");
  EXPECT_EQ(sums("a", 0), "1/2/2/1/2/1");
  event("purchase", "somebody else", "product:1");
  EXPECT_EQ(sums("a", 0), "1/2/2/1/2/1");
  EXPECT_EQ(sums("a", 1), "1/1/0/0/0/0");
  const auto results = read("a");
  EXPECT_EQ(results.number("results.variants.0.metrics.click_through_rate.value"), 1);
}

TEST_F(ExperimentsSurface, ADayAfterTheLastAnswerNothingCounts) {
  begin("a");
  const auto ann = someone("a", 0);
  const auto shown = recommend(ann);
  node_.clock().advance(24LL * 3600 * 1000);
  event("purchase", ann, "product:1");
  EXPECT_EQ(sums("a", 0), "1/1/0/0/1/1");
  node_.clock().advance(1);
  event("purchase", ann, "product:1");
  event("click", ann, "product:1", shown.at("recommendation_id"));
  EXPECT_EQ(sums("a", 0), "1/1/0/0/1/1");
}

TEST_F(ExperimentsSurface, TheAnswerComesBehindItsImpression) {
  begin("a");
  node_.log().hold_appends();
  auto waiting = node_.begin("GET", "/v1/recommendations/u1", {}, root_.as());
  ASSERT_TRUE(eventually([&] { return node_.log().waiting() == 1; }));
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  node_.log().release_appends();
  EXPECT_EQ(waiting.get().at("experiment.id"), "a");
}

TEST_F(ExperimentsSurface, WithoutTheLogThereIsAnAnswerWithoutTheExperiment) {
  begin("a");
  node_.log().refuse_appends("full");
  const auto reply = recommend(someone("a", 1));
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.find("experiment"), nullptr);
  EXPECT_EQ(reply.at("algorithm"), recommend("u1", "?algorithm=feed").at("algorithm"));
  node_.log().accept_appends();
  EXPECT_EQ(sums("a", 1), "0/0/0/0/0/0");
}

TEST_F(ExperimentsSurface, WhoIsErasedLeavesNothing) {
  begin("a");
  const auto ann = someone("a", 0);
  recommend(ann);
  event("purchase", ann, "product:1");
  EXPECT_EQ(sums("a", 0), "1/1/0/0/1/1");
  EXPECT_LT(node_.call("DELETE", "/v1/users/" + ann, {}, root_.as()).status(), 300);
  EXPECT_TRUE(become("a", 0, "0/0/0/0/0/0"));
}

TEST_F(ExperimentsSurface, AReplayOfTheLogSaysTheSame) {
  begin("a");
  for (int i = 0; i < 20; ++i) {
    const auto user = "u" + std::to_string(i);
    const auto shown = recommend(user);
    if (i % 3 == 0) event("click", user, "product:1", shown.at("recommendation_id"));
    if (i % 4 == 0) event("purchase", user, "product:1");
  }
  std::string before;
  ASSERT_TRUE(eventually([&] {
    before = sums("a", 0) + " " + sums("a", 1);
    const auto reply = read("a");
    return reply.number("results.variants.0.people") + reply.number("results.variants.1.people") ==
           20;
  }));
  const auto variant = recommend("u1").at("experiment.variant");
  ASSERT_TRUE(eventually([&] {
    const auto reply = read("a");
    before = sums("a", 0) + " " + sums("a", 1);
    return reply.number("results.variants.0.exposures") +
               reply.number("results.variants.1.exposures") ==
           21;
  }));
  node_.restart();
  EXPECT_EQ(sums("a", 0) + " " + sums("a", 1), before);
  node_.restart(true);
  EXPECT_EQ(sums("a", 0) + " " + sums("a", 1), before);
  EXPECT_EQ(recommend("u1").at("experiment.variant"), variant);
}

// ---- interleaving

TEST_F(ExperimentsSurface, ClicksGoToTheVariantThatPutTheItemThere) {
  EXPECT_EQ(begin("i", R"(,"kind":"interleaving","minimum_sample_size":1)").status(), 201);
  const auto shown = recommend("ann");
  EXPECT_EQ(shown.at("algorithm"), "interleaved");
  EXPECT_EQ(shown.at("experiment.id"), "i");
  EXPECT_EQ(shown.find("experiment.variant"), nullptr);
  ASSERT_EQ(shown.size("items"), 3u);
  for (const auto& id : shown.ids()) {
    event("click", "ann", id, shown.at("recommendation_id"));
    event("click", "ann", id, shown.at("recommendation_id"));
  }
  const auto reply = read("i");
  EXPECT_EQ(reply.size("results.variants"), 1u);
  EXPECT_EQ(reply.at("results.variants.0.name"), "interleaved");
  const auto first = reply.number("results.preference.first.clicks");
  const auto second = reply.number("results.preference.second.clicks");
  EXPECT_EQ(first + second, 3) << "each item once: " << reply.body();
  EXPECT_TRUE(first == 1 || first == 2) << "teams of one and of two";
  EXPECT_EQ(reply.at("results.preference.first.people"), first == 2 ? "1" : "0");
  EXPECT_EQ(reply.at("results.preference.second.people"), second == 2 ? "1" : "0");
  EXPECT_EQ(begin("j", R"(,"kind":"interleaving")").status(), 201);
}

TEST_F(ExperimentsSurface, InterleavingTakesTwo) {
  const auto reply = create(
      R"({"experiment_id":"i","name":"T","kind":"interleaving","variants":[)"
      R"({"name":"a","config":{"algorithm":"feed"}},{"name":"b","config":{"algorithm":"feed"}},)"
      R"({"name":"c","config":{"algorithm":"recent"}}],)"
      R"("start_date":"2026-01-01T00:00:00Z","end_date":"2027-01-02T00:00:00Z"})");
  EXPECT_EQ(reply.status(), 400);
  EXPECT_EQ(named(reply), "variants");
}

}  // namespace
}  // namespace millrace
