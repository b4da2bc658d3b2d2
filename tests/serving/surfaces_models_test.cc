// Trainings of the recommendation engine, their jobs, and the versions of models.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/eventually.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

constexpr const char* kCategories = "plain_category_fit_model";

class ModelSurface : public ::testing::Test {
 protected:
  ModelSurface() {
    root_ = enter(node_, "root", Role::kAdmin);
    put(1);
  }
  void put(int n) {
    node_.call("PUT", "/v1/items/product:" + std::to_string(n),
               R"({"title":"P","categories":["Light )" + std::to_string(n) + "\"]}", root_.as());
  }
  TestReply post(const std::string& path, const std::string& body) {
    return node_.call("POST", path, body, root_.as());
  }
  TestReply get(const std::string& path) { return node_.get(path, root_.as()); }
  static std::string error(const TestReply& reply) {
    return std::to_string(reply.status()) + " " + reply.at("error") + ": " + reply.at("details");
  }
  // Trains and waits; the version then in use.
  std::string train() {
    const auto started =
        post("/api/enhanced-train/", std::string(R"({"model":")") + kCategories + "\"}");
    EXPECT_EQ(started.status(), 202) << started.body();
    EXPECT_TRUE(eventually([&] { return get(started.at("status_url")).at("status") == "done"; }));
    return in_use();
  }
  std::string in_use() { return get("/api/model-metrics/").at("models.0.version"); }

  TestNode node_;
  Person root_;
};

TEST_F(ModelSurface, TheSeedsBodyBeginsAJobForEachModel) {
  auto headers = root_.as();
  headers.emplace_back("content-type", "multipart/form-data; boundary=b");
  for (int i = 1; i <= 3; ++i) {
    const auto form =
        "--b\r\nContent-Disposition: form-data; name=\"dataset_type\"\r\n\r\nusers\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"u\"\r\n\r\n"
        "user_id\n" +
        std::to_string(i) + "\r\n--b--\r\n";
    ASSERT_EQ(node_.call("POST", "/api/upload-dataset/", form, headers).status(), 201);
  }
  const auto reply = post("/api/enhanced-train/",
                          R"({"dataset_ids":[1,2,3],)"
                          R"("config":{"embedding_dim":64,"learning_rate":0.001,"epochs":50}})");
  ASSERT_EQ(reply.status(), 202) << reply.body();
  EXPECT_EQ(reply.size("jobs"), processors::kModelKinds);
  EXPECT_EQ(reply.at("status_url"), "/api/jobs/" + reply.at("job_id") + "/");
  EXPECT_EQ(reply.header("Location"), reply.at("status_url"));
  EXPECT_EQ(reply.at("jobs.0.model"), kCategories);
  ASSERT_TRUE(
      eventually([&] { return get(reply.at("jobs.0.status_url")).at("status") == "done"; }));
  const auto job = get(reply.at("jobs.0.status_url"));
  EXPECT_EQ(job.at("kind"), kCategories);
  EXPECT_EQ(job.at("progress"), "1");
  EXPECT_FALSE(job.at("created").empty());
  EXPECT_NE(job.find("result.inertia"), nullptr) << job.body();
}

TEST_F(ModelSurface, WrongTrainingsAreTold) {
  const auto told = [&](const char* body) { return error(post("/api/enhanced-train/", body)); };
  EXPECT_EQ(told(R"({"dataset_ids":[7]})"), "404 Not Found: no dataset has the id 7");
  for (const char* ids : {"[0]", "[\"x\"]", "[1.5]", "[-1]"}) {
    EXPECT_EQ(told((R"({"dataset_ids":)" + std::string(ids) + "}").c_str()),
              "400 Invalid parameter: dataset_ids must be positive integers");
  }
  EXPECT_EQ(told(R"({"dataset_ids":1})"),
            "400 Invalid parameter: dataset_ids must be an array of at most 1000 numbers");
  EXPECT_EQ(told(R"({"config":[]})"), "400 Invalid parameter: config must be an object");
  for (const char* dim : {"7", "513", "\"x\"", "8.5"}) {
    EXPECT_NE(told((R"({"config":{"embedding_dim":)" + std::string(dim) + "}}").c_str())
                  .find("400 Invalid parameter: embedding_dim must be "),
              std::string::npos);
  }
  for (const char* rate : {"0", "1.1", "\"x\"", "-0.1"}) {
    EXPECT_NE(told((R"({"config":{"learning_rate":)" + std::string(rate) + "}}").c_str())
                  .find("400 Invalid parameter: learning_rate must be "),
              std::string::npos);
  }
  for (const char* epochs : {"0", "100001", "[]"}) {
    EXPECT_NE(told((R"({"config":{"epochs":)" + std::string(epochs) + "}}").c_str())
                  .find("400 Invalid parameter: epochs must be "),
              std::string::npos);
  }
  EXPECT_NE(told(R"({"model":"magic"})").find("400 Invalid parameter: model must be one of "),
            std::string::npos);
  EXPECT_EQ(told("[]"), "400 Invalid parameter: body must be a JSON object");
}

TEST_F(ModelSurface, JobsAreCancelled) {
  const auto started = post("/api/enhanced-train/", "");
  const auto url = started.at("status_url");
  const auto cancelled = node_.call("DELETE", url, {}, root_.as());
  EXPECT_TRUE(cancelled.status() == 200 || cancelled.status() == 409) << cancelled.body();
  ASSERT_TRUE(eventually([&] {
    const auto status = get(url).at("status");
    return status == "cancelled" || status == "done" || status == "failed";
  }));
  EXPECT_EQ(node_.call("DELETE", url, {}, root_.as()).status(), 409);
  EXPECT_EQ(node_.call("DELETE", "/api/jobs/none/", {}, root_.as()).status(), 404);
}

TEST_F(ModelSurface, MetricsSayWhatIsInUse) {
  auto metrics = get("/api/model-metrics/");
  ASSERT_EQ(metrics.size("models"), processors::kModelKinds) << metrics.body();
  EXPECT_EQ(metrics.find("models.0.version")->kind, JsonKind::kNull);
  EXPECT_EQ(metrics.at("models.0.bytes"), "0");
  const auto version = train();
  metrics = get("/api/model-metrics/");
  EXPECT_EQ(version.size(), 16u);
  EXPECT_EQ(metrics.at("models.0.name"), kCategories);
  EXPECT_GT(metrics.number("models.0.bytes"), 0);
  EXPECT_FALSE(metrics.at("models.0.position").empty());
  EXPECT_FALSE(metrics.at("models.0.trained").empty());
  EXPECT_NE(metrics.find("models.0.metrics.inertia"), nullptr) << metrics.body();
  node_.restart();
  EXPECT_EQ(get("/api/model-metrics/").body(), metrics.body()) << "it outlives a restart";
}

TEST_F(ModelSurface, VersionsAreKeptPromotedAndRolledBack) {
  std::vector<std::string> versions;
  for (int n = 2; n <= 8; ++n) {
    put(n);
    versions.push_back(train());
  }
  const auto list = get("/api/models/");
  ASSERT_EQ(list.size("models"), processors::kVersionsKept) << list.body();
  EXPECT_EQ(list.at("models.0.version"), versions[6]) << "the newest first";
  EXPECT_EQ(list.at("models.0.in_use"), "true");
  EXPECT_EQ(list.at("models.4.version"), versions[2]);
  EXPECT_EQ(list.at("models.4.in_use"), "false");
  const std::string path = std::string("/api/models/") + kCategories + "/promote/";
  const auto back = post(path, "");
  ASSERT_EQ(back.status(), 200) << back.body();
  EXPECT_EQ(back.at("version"), versions[5]) << "rolled back";
  EXPECT_EQ(back.at("in_use"), "true");
  EXPECT_EQ(in_use(), versions[5]);
  EXPECT_EQ(post(path, R"({"version":")" + versions[2] + "\"}").at("version"), versions[2]);
  EXPECT_EQ(node_.trainer().categories()->encode().checksum().substr(0, 16), versions[2]);
  node_.restart();
  EXPECT_EQ(in_use(), versions[2]);
  EXPECT_EQ(error(post(path, "")), "404 Not Found: no version is kept from before the one in use");
  EXPECT_EQ(error(post(path, R"({"version":"0000000000000000"})")),
            "404 Not Found: no version of this model is named so");
  EXPECT_EQ(error(post("/api/models/magic/promote/", "")), "404 Not Found: no model has this name");
  put(9);
  const auto fresh = train();
  EXPECT_EQ(in_use(), fresh) << "a training goes on from there";
}

TEST_F(ModelSurface, IsForAdministrators) {
  const auto ann = enter(node_, "ann");
  EXPECT_EQ(node_.call("POST", "/api/enhanced-train/", "{}", ann.as()).status(), 403);
  for (const char* path : {"/api/jobs/x/", "/api/model-metrics/", "/api/models/"}) {
    EXPECT_EQ(node_.get(path, ann.as()).status(), 403) << path;
  }
}

}  // namespace
}  // namespace millrace
