// The recommendation engine of seed 002, field by field.
#include <gtest/gtest.h>

#include <string>

#include "serving/http/http_metrics.h"
#include "tests/support/eventually.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

class EngineSurface : public ::testing::Test {
 protected:
  explicit EngineSurface(TestNode::Options options = {}) : node_(std::move(options)) {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
    put("product:456",
        R"("title":"Wireless Headphones","categories":["Electronics","Audio"],"price":"99.99")");
    put("movie:7", R"("title":"Film","categories":["Drama"])");
    put("plain", R"("title":"Plain","kind":"thing")");
  }

  void put(const std::string& id, const std::string& members) {
    ASSERT_EQ(node_.call("PUT", "/v1/items/" + id, "{" + members + "}", root_.as()).status(), 201);
  }
  TestReply recommend(const std::string& query = {}) {
    return node_.get("/api/recommendations/" + ann_.id + "/" + query, ann_.as());
  }
  TestReply post(const std::string& path, const std::string& body, const Person& by) {
    return node_.call("POST", path, body, by.as());
  }
  // {"error", "details"}, of application/json.
  static std::string error(const TestReply& reply) {
    EXPECT_EQ(reply.reply.content_type, "application/json");
    EXPECT_EQ(reply.json.members.size(), 2u) << reply.body();
    return std::to_string(reply.status()) + " " + reply.at("error") + ": " + reply.at("details");
  }
  std::string events_of(const std::string& user) {
    const auto reply = node_.get("/v1/users/" + user + "/history", root_.as());
    std::string all;
    for (std::size_t i = 0; i < reply.size("items"); ++i) {
      const auto at = "items." + std::to_string(i) + ".";
      all += reply.at(at + "type") + " " + reply.at(at + "id") + ";";
    }
    return all;
  }

  TestNode node_;
  Person root_, ann_;
};

TEST_F(EngineSurface, RecommendationsHaveTheSeedsFields) {
  const auto reply = recommend();
  ASSERT_EQ(reply.status(), 200) << reply.body();
  EXPECT_EQ(reply.at("user_id"), ann_.id);
  EXPECT_EQ(reply.at("count"), "3");
  EXPECT_EQ(reply.at("recommendation_id").size(), 36u);
  EXPECT_FALSE(reply.at("level").empty());
  ASSERT_EQ(reply.size("recommendations"), 3u) << "all kinds: " << reply.body();
  std::string seen;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto at = "recommendations." + std::to_string(i) + ".";
    seen += reply.at(at + "product_id") + "|" + reply.at(at + "kind") + "|" +
            reply.at(at + "product_name") + "|" + reply.at(at + "category") + "|" +
            reply.at(at + "price") + ";";
    EXPECT_GT(reply.number(at + "confidence_score"), 0);
    EXPECT_LT(reply.number(at + "confidence_score"), 1);
    EXPECT_FALSE(reply.at(at + "algorithm").empty());
    EXPECT_EQ(reply.find(at + "score"), nullptr);
  }
  EXPECT_NE(seen.find("456|product|Wireless Headphones|Electronics|99.99;"), seen.npos) << seen;
  EXPECT_NE(seen.find("7|movie|Film|Drama|null;"), seen.npos) << seen;
  EXPECT_NE(seen.find("plain|thing|Plain|null|null;"), seen.npos) << seen;
  EXPECT_EQ(reply.find("recommendations.0.price")->kind == JsonKind::kString, false);
  EXPECT_GE(reply.number("recommendations.0.confidence_score"),
            reply.number("recommendations.2.confidence_score"));
}

TEST_F(EngineSurface, RecommendationsTakeParameters) {
  EXPECT_EQ(recommend("?count=1").size("recommendations"), 1u);
  EXPECT_EQ(recommend("?kind=movie").at("recommendations.0.product_id"), "7");
  EXPECT_EQ(recommend("?kind=movie").at("count"), "1");
  EXPECT_EQ(recommend("?kind=nobody").at("count"), "0");
  EXPECT_EQ(recommend("?algorithm=recent").at("recommendations.0.algorithm"), "recent");
  EXPECT_EQ(recommend("?algorithm=genre_weighted").at("recommendations.0.algorithm"), "popular")
      << "what has really ranked";
  const auto explained = recommend("?explain=true&algorithm=popular");
  EXPECT_NE(explained.find("recommendations.0.parts"), nullptr);
  EXPECT_NE(explained.find("recommendations.0.score"), nullptr);
}

TEST_F(EngineSurface, WrongParametersAreToldAsTheSeedHasIt) {
  for (const char* id : {"0", "-1", "abc", "1.5", "01", "%20"}) {
    EXPECT_EQ(error(node_.get(std::string("/api/recommendations/") + id + "/", root_.as())),
              "400 Invalid parameter: User ID must be a positive integer")
        << id;
  }
  for (const char* count : {"0", "101", "x", ""}) {
    EXPECT_EQ(error(recommend(std::string("?count=") + count)),
              "400 Invalid parameter: count must be a whole number from 1 to 100");
  }
  EXPECT_EQ(error(recommend("?kind=No")),
            "400 Invalid parameter: kind must be 1 to 32 of a-z 0-9 _ -");
  EXPECT_EQ(error(recommend("?explain=perhaps")),
            "400 Invalid parameter: explain must be true or false");
  EXPECT_NE(
      error(recommend("?algorithm=best")).find("400 Invalid parameter: algorithm must be one of "),
      std::string::npos);
  EXPECT_NE(error(recommend("?position=nonsense")).find("400 Invalid parameter: "),
            std::string::npos);
}

TEST_F(EngineSurface, PeopleSeeTheirOwnAndServicesWithTheScopeEverybodys) {
  const auto bob = enter(node_, "bob");
  const auto path = "/api/recommendations/" + ann_.id + "/";
  EXPECT_EQ(error(node_.get(path)), "401 Unauthorized: send a token: Authorization: Bearer …");
  EXPECT_EQ(node_.get(path).header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(error(node_.get(path, bob.as())), "403 Forbidden: this credential does not allow that");
  EXPECT_EQ(node_.get(path, root_.as()).status(), 200);
  const auto key = [&](const char* scope) {
    return TestNode::Headers{
        {"x-api-key",
         node_
             .call("POST", "/v1/admin/keys",
                   std::string(R"({"name":"k","scopes":[")") + scope + "\"]}", root_.as())
             .at("key")}};
  };
  EXPECT_EQ(node_.get(path, key("read")).status(), 200);
  EXPECT_EQ(node_.get(path, key("ingest")).status(), 403);
}

TEST_F(EngineSurface, OtherErrorsHaveTheFormToo) {
  EXPECT_EQ(error(node_.call("DELETE", "/api/interaction/", {}, root_.as())),
            "405 Method Not Allowed: This path does not have that method.");
  EXPECT_EQ(error(node_.get("/api/jobs/none/", root_.as())), "404 Not Found: no job has this id");
  EXPECT_EQ(node_.get("/v1/admin/jobs/none", root_.as()).reply.content_type,
            "application/problem+json")
      << "other surfaces keep theirs";
  EXPECT_EQ(error(post("/api/interaction/", "{}", ann_)),
            "400 Invalid parameter: interaction_type is required");
  EXPECT_EQ(error(node_.call("POST", "/api/interaction/", "x",
                             [&] {
                               auto headers = ann_.as();
                               headers.emplace_back("content-encoding", "br");
                               return headers;
                             }())),
            "415 Unsupported Media Type: The only Content-Encoding accepted is gzip.");
}

TEST_F(EngineSurface, AnInteractionIsAnEvent) {
  const auto body =
      R"({"user_id":)" + ann_.id + R"(,"product_id":456,"interaction_type":"purchase"})";
  const auto reply = post("/api/interaction/", body, ann_);
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(reply.at("status"), "recorded");
  EXPECT_EQ(reply.at("event_id").size(), 36u);
  EXPECT_EQ(reply.at("item"), "product:456");
  EXPECT_FALSE(reply.position().empty());
  EXPECT_EQ(events_of(ann_.id), "purchase product:456;");
  auto headers = ann_.as();
  headers.emplace_back("idempotency-key", "once");
  const auto first = node_.call("POST", "/api/interaction/", body, headers);
  const auto again = node_.call("POST", "/api/interaction/", body, headers);
  EXPECT_EQ(first.status(), 201);
  EXPECT_EQ(first.body(), again.body());
  EXPECT_EQ(events_of(ann_.id), "purchase product:456;purchase product:456;");
}

TEST_F(EngineSurface, ANumberIsTheProductOrWhateverKindHasIt) {
  const auto item_of = [&](const std::string& id) {
    return post("/api/interaction/",
                R"({"user_id":)" + ann_.id + R"(,"interaction_type":"view","product_id":)" + id +
                    "}",
                ann_)
        .at("item");
  };
  EXPECT_EQ(item_of("7"), "movie:7") << "the catalog has no product:7";
  EXPECT_EQ(item_of("\"7\""), "movie:7");
  EXPECT_EQ(item_of("\"plain\""), "plain");
  EXPECT_EQ(item_of("\"movie:456\""), "movie:456");
  EXPECT_EQ(item_of("999"), "product:999") << "unknown ones are accepted";
}

TEST_F(EngineSurface, WrongInteractionsAreTold) {
  const auto told = [&](const std::string& members) {
    return error(post("/api/interaction/", "{" + members + "}", root_));
  };
  EXPECT_EQ(told(R"("product_id":1,"interaction_type":"view")"),
            "400 Invalid parameter: user_id is required");
  for (const char* user : {"0", "-1", "\"abc\"", "1.5", "[1]", "true"}) {
    EXPECT_EQ(told(R"("product_id":1,"interaction_type":"view","user_id":)" + std::string(user)),
              "400 Invalid parameter: User ID must be a positive integer");
  }
  EXPECT_EQ(told(R"("user_id":1,"interaction_type":"view")"),
            "400 Invalid parameter: product_id is required");
  EXPECT_NE(
      told(R"("user_id":1,"interaction_type":"view","product_id":{})").find("product_id must be"),
      std::string::npos);
  EXPECT_NE(told(R"("user_id":1,"product_id":1,"interaction_type":"stare")")
                .find("400 Invalid parameter: interaction_type must be one of view, "),
            std::string::npos);
  EXPECT_EQ(told(R"("user_id":1,"product_id":1,"interaction_type":"rate")"),
            "400 Invalid parameter: value is required");
  EXPECT_EQ(told(R"("user_id":1,"product_id":1,"interaction_type":"rate","value":9)"),
            "400 Invalid parameter: value must be a rating from 0.5 to 5");
  EXPECT_NE(told(R"("user_id":1,"product_id":1,"interaction_type":"view","timestamp":"soon")")
                .find("400 Invalid parameter: timestamp must be"),
            std::string::npos);
  EXPECT_EQ(error(post("/api/interaction/", "[]", root_)),
            "400 Invalid parameter: body must be a JSON object");
  EXPECT_EQ(error(node_.call("POST", "/api/interaction/", "{}",
                             [&] {
                               auto headers = root_.as();
                               headers.emplace_back("content-type", "text/plain");
                               return headers;
                             }())),
            "400 Invalid parameter: Content-Type must be application/json");
  EXPECT_EQ(error(post("/api/interaction/",
                       R"({"user_id":999,"product_id":1,"interaction_type":"view"})", ann_)),
            "403 Forbidden: user_id this credential sends events of its own account only");
}

TEST_F(EngineSurface, AStreamingEventHasItsSession) {
  const auto reply = post("/api/streaming-event/",
                          R"({"user_id":"123","product_id":"456","event_type":"view",)"
                          R"("session_id":"session_abc123","device_type":"mobile","context":{}})",
                          root_);
  ASSERT_EQ(reply.status(), 200) << reply.body();
  EXPECT_EQ(reply.at("status"), "processed");
  EXPECT_FALSE(reply.position().empty());
  const auto history = node_.get("/v1/users/123/history", root_.as());
  EXPECT_EQ(history.at("items.0.session"), "session_abc123") << history.body();
  EXPECT_EQ(history.at("items.0.device"), "mobile");
  EXPECT_NE(error(post("/api/streaming-event/",
                       R"({"user_id":"1","product_id":"2","event_type":"x y"})", root_))
                .find("400 Invalid parameter: event_type must be"),
            std::string::npos);
  EXPECT_EQ(error(post("/api/streaming-event/", R"({"user_id":"1","product_id":"2"})", root_)),
            "400 Invalid parameter: event_type is required");
  EXPECT_EQ(post("/api/streaming-event/",
                 R"({"user_id":"somebody","product_id":"2","event_type":"view"})", root_)
                .status(),
            200)
      << "users need be no numbers here";
}

TEST_F(EngineSurface, YourOwnInteractionShowsInTheNextAnswer) {
  for (const char* user : {"1001", "1002", "1003"}) {
    for (const char* item : {"product:456", "movie:7"})
      node_.call("POST", "/v1/events?wait=applied",
                 R"({"type":"like","data":{"user":")" + std::string(user) + R"(","item":")" + item +
                     "\"}}",
                 root_.as());
  }
  recommend();
  ASSERT_EQ(
      post("/api/interaction/",
           R"({"user_id":)" + ann_.id + R"(,"product_id":456,"interaction_type":"like"})", ann_)
          .status(),
      201);
  const auto next = recommend();
  EXPECT_EQ(next.at("recommendations.0.product_id"), "7") << next.body();
  EXPECT_EQ(next.at("level"), "personal");
}

TEST_F(EngineSurface, MetricsAreTrue) {
  const auto metrics = [&] { return node_.get("/api/performance-metrics/", root_.as()); };
  auto seen = metrics();
  ASSERT_EQ(seen.status(), 200) << seen.body();
  for (const char* zero : {"performance.total_requests", "performance.average_latency_ms",
                           "performance.cache_hit_rate", "performance.active_users",
                           "realtime.recommendations_served_last_hour", "realtime.clicks_last_hour",
                           "realtime.ctr_last_hour", "daily.recommendations_served",
                           "daily.recommendation_clicks", "daily.click_through_rate"}) {
    EXPECT_EQ(seen.number(zero), 0) << zero;
  }
  serving::HttpMetrics http(node_.metrics(), node_.routes());
  http.count(0, 200, 0.010);
  http.count(1, 404, 0.030);
  const auto id = recommend().at("recommendation_id");
  recommend();  // the same candidates
  recommend("?count=2");
  ASSERT_TRUE(eventually([&] { return metrics().number("daily.recommendations_served") == 3; }));
  post("/api/interaction/",
       R"({"user_id":)" + ann_.id +
           R"(,"product_id":456,"interaction_type":"click","recommendation_id":")" + id + "\"}",
       ann_);
  post("/api/interaction/", R"({"user_id":77,"product_id":456,"interaction_type":"view"})", root_);
  seen = metrics();
  EXPECT_EQ(seen.at("performance.total_requests"), "2");
  EXPECT_DOUBLE_EQ(seen.number("performance.average_latency_ms"), 20);
  EXPECT_DOUBLE_EQ(seen.number("performance.cache_hit_rate"), 1.0 / 3);
  EXPECT_EQ(seen.at("performance.active_users"), "2");
  EXPECT_EQ(seen.at("realtime.recommendations_served_last_hour"), "3");
  EXPECT_EQ(seen.at("realtime.clicks_last_hour"), "1");
  EXPECT_DOUBLE_EQ(seen.number("realtime.ctr_last_hour"), 1.0 / 3);
  EXPECT_EQ(seen.at("daily.recommendation_clicks"), "1");
  EXPECT_DOUBLE_EQ(seen.number("daily.click_through_rate"), 1.0 / 3);

  node_.restart();
  seen = metrics();
  EXPECT_EQ(seen.at("daily.recommendations_served"), "3") << "they outlive a restart";
  EXPECT_EQ(seen.at("realtime.clicks_last_hour"), "1");
  EXPECT_EQ(seen.at("performance.active_users"), "2");
  node_.clock().advance(15LL * 60'000);
  EXPECT_EQ(metrics().at("performance.active_users"), "0");
  node_.clock().advance(45LL * 60'000);
  seen = metrics();
  EXPECT_EQ(seen.number("realtime.ctr_last_hour"), 0);
  EXPECT_EQ(seen.at("realtime.recommendations_served_last_hour"), "0");
  EXPECT_EQ(seen.at("daily.recommendations_served"), "3");
  node_.clock().advance(23LL * 3'600'000);
  EXPECT_EQ(metrics().at("daily.recommendations_served"), "0");
}

TEST_F(EngineSurface, MetricsAreForAdministrators) {
  EXPECT_EQ(node_.get("/api/performance-metrics/", ann_.as()).status(), 403);
  EXPECT_EQ(node_.get("/api/performance-metrics/").status(), 401);
}

class EngineLimits : public EngineSurface {
 protected:
  static TestNode::Options options() {
    TestNode::Options options;
    options.gate.allowances = {.api_per_minute = 3, .trainings_per_hour = 2, .bulk_per_hour = 1};
    return options;
  }
  EngineLimits() : EngineSurface(options()) {}
};

TEST_F(EngineLimits, HoldForEachKeyElseForEachAddressBeforeItIsAskedWhoMay) {
  const auto path = "/api/recommendations/" + ann_.id + "/";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(node_.get(path).status(), 401);
  const auto refused = node_.get(path);
  EXPECT_EQ(
      error(refused),
      "429 Rate limit exceeded: more than 3 requests a minute of this address: wait a little");
  EXPECT_EQ(refused.header("Retry-After"), "20");
  auto nobody = TestNode::Headers{{"authorization", "Bearer made up"}};
  EXPECT_EQ(node_.get(path, nobody).status(), 429) << "a key that is none is its address'";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(node_.get(path, ann_.as()).status(), 200);
  EXPECT_EQ(node_.get(path, ann_.as()).status(), 429);
  EXPECT_EQ(node_.get(path, root_.as()).status(), 200) << "each key has its own";
  EXPECT_EQ(node_.get("/v1/recommendations/" + ann_.id, ann_.as()).status(), 200)
      << "other surfaces do not count";
  node_.clock().advance(20'000);
  EXPECT_EQ(node_.get(path, ann_.as()).status(), 200);
  EXPECT_EQ(node_.get("/health/").status(), 200);
}

TEST_F(EngineLimits, TrainingsAndUploadsHaveTheirOwn) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(post("/api/enhanced-train/", "{}", root_).status(), 202);
  const auto refused = post("/api/enhanced-train/", "{}", root_);
  EXPECT_EQ(
      error(refused),
      "429 Rate limit exceeded: more than 2 requests an hour of this credential: wait a little");
  EXPECT_EQ(refused.header("Retry-After"), "1800");
  EXPECT_EQ(post("/api/upload-dataset/", "{}", root_).status(), 415);
  EXPECT_EQ(post("/api/upload-dataset/", "{}", root_).header("Retry-After"), "3600");
  node_.clock().advance(1'800'000);
  EXPECT_EQ(post("/api/enhanced-train/", "{}", root_).status(), 202);
}

}  // namespace
}  // namespace millrace
