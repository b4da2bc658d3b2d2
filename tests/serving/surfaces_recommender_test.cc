// The recommendation service of seed 004, endpoint by endpoint.
#include "serving/surfaces/recommender.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "processors/training/model_file.h"
#include "tests/serving/account_world.h"
#include "tests/support/eventually.h"

namespace millrace {
namespace {

void await(const std::function<bool()>& condition) { ASSERT_TRUE(eventually(condition)); }

const TestNode::Headers kSecret = {{"client_header_secret", "s3cret"}};

TestNodeOptions with_secret() {
  TestNodeOptions options;
  options.surface.client_secret = "s3cret";
  return options;
}

class Recommender : public ::testing::Test {
 protected:
  explicit Recommender(TestNodeOptions options = with_secret()) : node_(std::move(options)) {}

  void product(const std::string& id, const std::string& category) {
    const auto reply = node_.call("POST", "/products",
                                  R"({"product_name":"P )" + id + R"(","product_id":")" + id +
                                      R"(","category":")" + category + "\"}",
                                  kSecret);
    ASSERT_EQ(reply.status(), 201) << reply.body();
  }
  void interact(const std::string& user, const std::string& product) {
    const auto reply =
        node_.call("POST", "/interactions",
                   R"({"user_id":")" + user + R"(","product_id":")" + product + "\"}", kSecret);
    ASSERT_EQ(reply.status(), 201) << reply.body();
  }
  std::string recommended(const std::string& query) {
    const auto reply = node_.get("/interaction-recommendations?" + query);
    EXPECT_EQ(reply.status(), 200) << reply.body();
    return reply.body();
  }
  std::string of_category(const std::string& category) {
    const auto reply = node_.get("/category-recommendations?category=" + category);
    EXPECT_EQ(reply.status(), 200) << reply.body();
    return reply.body();
  }
  // The job, once it is over.
  TestReply job(const std::string& id) {
    TestReply reply;
    await([&] {
      reply = node_.get("/v1/admin/jobs/" + id);
      return reply.at("state") != "waiting" && reply.at("state") != "running";
    });
    return reply;
  }

  TestNode node_;
};

TEST_F(Recommender, WhatIsSavedShowsInTheNextRequest) {
  const auto made = node_.call(
      "POST", "/products",
      R"({"product_name":"Smartphone","product_id":"product789","category":"Electronics"})",
      kSecret);
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.body(), R"({"message":"Product saved successfully."})");
  product("101", "Electronics");
  EXPECT_EQ(of_category("Electronics"), R"([101,"product789"])");
  const auto saved = node_.call(
      "POST", "/ai/interactions",
      R"({"user_id":"user123","product_id":"product789","category":"Electronics"})", kSecret);
  EXPECT_EQ(saved.status(), 201);
  EXPECT_EQ(saved.body(), R"({"message":"Interaction saved successfully."})");
  EXPECT_FALSE(saved.position().empty());
  EXPECT_EQ(of_category("Electronics"), R"(["product789",101])") << "by who has dealt with it";
  interact("user123", "101");
  EXPECT_EQ(recommended("product_id=101"), R"(["product789"])");
  EXPECT_EQ(recommended("product_id=product789&category=Electronics"), "[101]");
  EXPECT_EQ(recommended("product_id=product789&category=Books"), "[]");
  EXPECT_EQ(recommended("product_id=unknown&category=Electronics&limit=1"), "[101]")
      << "as many people: by id";
  EXPECT_EQ(recommended("product_id=unknown"), "[]");
}

TEST_F(Recommender, BadInputNamesTheFieldAndTheRule) {
  const auto field = [&](const std::string& method, const std::string& path,
                         const std::string& body = {}) {
    const auto reply = node_.call(method, path, body, kSecret);
    EXPECT_EQ(reply.status(), 400) << path << reply.body();
    return reply.at("field");
  };
  EXPECT_EQ(field("GET", "/interaction-recommendations"), "product_id");
  EXPECT_EQ(field("GET", "/interaction-recommendations?product_id="), "product_id");
  EXPECT_EQ(field("GET", "/interaction-recommendations?product_id=1&limit=0"), "limit");
  EXPECT_EQ(field("GET", "/category-recommendations"), "category");
  EXPECT_EQ(field("GET", "/interactions?cursor=x"), "cursor");
  EXPECT_EQ(field("GET", "/interactions?cursor=bm9uZSAwIDA"), "cursor");
  EXPECT_EQ(field("GET", "/products?limit=1001"), "limit");
  EXPECT_EQ(field("POST", "/interactions", R"({"user_id":"u"})"), "product_id");
  EXPECT_EQ(field("POST", "/interactions", R"({"product_id":1})"), "user_id");
  EXPECT_EQ(field("POST", "/interactions",
                  R"({"user_id":1,"product_id":2,"interaction_type":"no such"})"),
            "type");
  EXPECT_EQ(field("POST", "/products", R"({"product_id":1,"category":"c"})"), "product_name");
  EXPECT_EQ(field("POST", "/products", R"({"product_id":1,"product_name":"n"})"), "category");
  EXPECT_EQ(field("POST", "/ai/products", R"({"product_id":{},"product_name":"n","category":"c"})"),
            "product_id");
  EXPECT_EQ(node_.get("/products", kSecret).body(), "[]") << "nothing half-done";
}

TEST_F(Recommender, AProductKeepsWhatElseIsKnownOfIt) {
  node_.put("product:7", R"("title":"Old","categories":["a"],"price":"10.00","quantity":3)");
  product("7", "b");
  const auto item = node_.get("/v1/items/product:7");
  EXPECT_EQ(item.at("title"), "P 7");
  EXPECT_EQ(item.at("categories.0"), "b");
  EXPECT_EQ(item.at("price"), "10.00");
  EXPECT_NE(item.body().find("quantity"), std::string::npos);
}

TEST_F(Recommender, ListsComeInPagesWithALink) {
  for (int i = 0; i < 5; ++i) {
    product(std::to_string(i), "c");
    interact("u" + std::to_string(i % 2), std::to_string(i));
  }
  for (const std::string path : {"/products", "/interactions"}) {
    std::set<std::string> rows;
    std::size_t pages = 0;
    for (std::string next = path + "?limit=2"; !next.empty(); ++pages) {
      const auto page = node_.get(next, kSecret);
      ASSERT_EQ(page.status(), 200) << page.body();
      for (std::size_t i = 0; i < page.size(""); ++i) {
        EXPECT_TRUE(rows.insert(page.at(std::to_string(i) + ".product_id")).second);
      }
      const auto link = page.header("Link");
      next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    EXPECT_EQ(rows.size(), 5u) << path;
    EXPECT_EQ(pages, 3u) << path;
  }
  EXPECT_EQ(node_.get("/products?limit=1", kSecret).body(),
            R"([{"product_id":0,"product_name":"P 0","category":"c"}])");
  EXPECT_EQ(node_.get("/interactions?limit=1", kSecret).body(),
            R"([{"user_id":"u0","product_id":0,"category":"c"}])");
}

TEST_F(Recommender, AnErasedPersonLeavesTheNeighbours) {
  for (const char* id : {"1", "2"}) {
    product(id, "c" + std::string(id));
    interact("ann", id);
  }
  EXPECT_EQ(recommended("product_id=1"), "[2]");
  EXPECT_EQ(node_.call("DELETE", "/v1/users/ann").status(), 204);
  EXPECT_EQ(recommended("product_id=1"), "[]");
  EXPECT_EQ(node_.get("/interactions", kSecret).body(), "[]");
}

TEST_F(Recommender, ARestartHasTheSameNeighbours) {
  for (int i = 0; i < 12; ++i) {
    product(std::to_string(i), "c");
    for (int user = 0; user <= i; ++user)
      interact("u" + std::to_string(user * user % 7), std::to_string(i));
  }
  const auto before = recommended("product_id=5");
  const auto category = of_category("c");
  node_.restart();
  EXPECT_EQ(recommended("product_id=5"), before);
  EXPECT_EQ(of_category("c"), category);
  node_.restart(true);
  EXPECT_EQ(recommended("product_id=5"), before);
}

// ---- models

TEST_F(Recommender, TheFirstUseTrainsAndItsFilesAreKept) {
  EXPECT_FALSE(node_.trainer().categories());
  product("1", "red wine");
  product("2", "white wine");
  product("3", "hand tools");
  EXPECT_EQ(of_category("red%20wine"), "[1]") << "three names, five clusters";
  ASSERT_TRUE(node_.trainer().categories());
  EXPECT_EQ(node_.trainer().categories()->fit.clusters, 3u);
  product("4", "fine red wine");
  EXPECT_EQ(of_category("red%20wine"), "[1,4]") << "a new category has the nearest centre";
  node_.restart();
  ASSERT_TRUE(node_.trainer().categories()) << "from its file";
  EXPECT_EQ(of_category("red%20wine"), "[1,4]");
}

TEST_F(Recommender, ADamagedModelIsRefusedSaidAndTrainedAgain) {
  product("1", "wine");
  of_category("wine");
  const auto path =
      std::filesystem::path(node_.models_folder()) / std::string(processors::kCategoryModelName);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('!');
  }
  EXPECT_FALSE(processors::read_model(node_.models_folder(), processors::kCategoryModelName));
  node_.restart();
  await([&] { return node_.trainer().categories() != nullptr; });
  EXPECT_TRUE(processors::read_model(node_.models_folder(), processors::kCategoryModelName));
  // The text would ask the engine of before the restart.
  const auto& refused =
      node_.metrics().counter("models_refused_total", "Model files that were found damaged.",
                              {{"model", "plain_category_fit_model"}});
  EXPECT_EQ(refused.value(), 1);
}

TEST_F(Recommender, TheSameCatalogGivesTheSameModel) {
  for (int i = 0; i < 40; ++i) {
    product(std::to_string(i), "name" + std::to_string(i % 13) + " of" + std::to_string(i % 7));
  }
  std::set<std::string> checksums;
  for (int i = 0; i < 3; ++i) {
    const auto begun =
        node_.call("POST", "/v1/admin/jobs", R"({"kind":"plain_category_fit_model"})");
    ASSERT_EQ(begun.status(), 202) << begun.body();
    EXPECT_EQ(begun.header("Location"), "/v1/admin/jobs/" + begun.at("id"));
    const auto done = job(begun.at("id"));
    EXPECT_EQ(done.at("state"), "done") << done.body();
    EXPECT_EQ(done.at("progress"), "1");
    checksums.insert(done.at("result.checksum"));
  }
  EXPECT_EQ(checksums.size(), 1u);
  EXPECT_EQ(node_.get("/v1/admin/jobs").size("jobs"), 3u);
  EXPECT_EQ(node_.call("POST", "/v1/admin/jobs", R"({"kind":"none"})").at("field"), "kind");
  EXPECT_EQ(node_.get("/v1/admin/jobs/none").status(), 404);
  EXPECT_EQ(node_.call("DELETE", "/v1/admin/jobs/none").status(), 404);
}

TEST_F(Recommender, VerifySeesWhatAModelIsMadeFrom) {
  product("1", "wine");
  interact("ann", "1");
  for (const char* kind : {"plain_category_fit_model", "user_cat_interaction_model"}) {
    const auto begun =
        node_.call("POST", "/v1/admin/jobs", R"({"kind":")" + std::string(kind) + "\"}");
    EXPECT_EQ(job(begun.at("id")).at("state"), "done");
  }
  std::map<LogPartition, Offset> ends;
  const auto position = node_.engine().publisher().position();
  for (const auto& [partition, offset] : position.at()) {
    ends[partition] = offset + 1;
  }
  const auto sound = processors::verify_models(node_.models_folder(), ends);
  ASSERT_EQ(sound.size(), 2u);
  for (const auto& report : sound) EXPECT_EQ(report.problem, "") << report.name;
  for (const auto& report : processors::verify_models(node_.models_folder(), {})) {
    EXPECT_EQ(report.problem, "is of another log") << report.name;
  }
  const auto path = std::filesystem::path(node_.models_folder()) / "user_cat_interaction_model";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_NE(processors::verify_models(node_.models_folder(), ends)[1].problem, "");
}

TestNodeOptions scheduled(const Schedule& again, double change) {
  auto options = with_secret();
  options.training.again = again;
  options.training.change = change;
  return options;
}

class ByTime : public Recommender {
 protected:
  ByTime() : Recommender(scheduled(Schedule::every(60'000), 0)) {}
};
TEST_F(ByTime, ModelsAreTrainedAgainWhenTheLogWentOn) {
  product("1", "wine");
  of_category("wine");
  const auto first = node_.trainer().categories();
  product("2", "tools");
  node_.clock().advance(60'000);
  await([&] { return node_.trainer().categories() != first; });
  EXPECT_EQ(node_.trainer().categories()->categories.size(), 2u);
  interact("ann", "1");
  node_.clock().advance(60'000);
  await([&] { return node_.trainer().neighbours() != nullptr; });
}

class ByCron : public Recommender {
 protected:
  ByCron() : Recommender(scheduled(*Schedule::cron("0 3 * * *"), 0)) {}
};
TEST_F(ByCron, ModelsAreTrainedAgainAtTheTimesNamed) {
  product("1", "wine");
  of_category("wine");
  const auto first = node_.trainer().categories();
  product("2", "tools");
  const auto due = Schedule::cron("0 3 * * *")->next(node_.clock().now());
  node_.clock().advance(due - node_.clock().now() - 1);
  product("3", "tools");
  EXPECT_EQ(node_.trainer().categories(), first);
  node_.clock().advance(1);
  await([&] { return node_.trainer().categories() != first; });
}

class ByChange : public Recommender {
 protected:
  ByChange() : Recommender(scheduled({}, 0.5)) {}
};
TEST_F(ByChange, TheModelIsTrainedAgainWhenEnoughProductsChanged) {
  for (int i = 0; i < 4; ++i) product(std::to_string(i), "wine");
  of_category("wine");
  const auto first = node_.trainer().categories();
  product("4", "tools");
  EXPECT_DOUBLE_EQ(first->changed(processors::count_categories(*node_.engine().catalog().view(),
                                                               node_.engine().names())),
                   0.25);
  product("5", "tools");
  await([&] { return node_.trainer().categories() != first; });
  EXPECT_EQ(node_.trainer().categories()->categories.size(), 2u);
}

// ---- who may

class Secrets : public AccountWorld {
 protected:
  int status(const TestNode::Headers& headers, const std::string& method = "GET") {
    return node_.call(method, "/products", method == "GET" ? "" : kBody, headers).status();
  }
  const std::string kBody = R"({"product_name":"n","product_id":1,"category":"c"})";
};

TEST_F(Secrets, WithoutOneInTheEnvironmentKeysAloneAreLetIn) {
  EXPECT_EQ(status({}), 403);
  EXPECT_EQ(status({{"client_header_secret", ""}}), 403);
  EXPECT_EQ(status({{"client_header_secret", "guess"}}), 403);
  EXPECT_EQ(status(admin_.as()), 403);
  EXPECT_EQ(status(bearer(key("read"))), 200);
  EXPECT_EQ(status(bearer(key("read")), "POST"), 403);
  EXPECT_EQ(status(bearer(key("ingest"))), 403);
  EXPECT_EQ(status(bearer(key("ingest")), "POST"), 201);
}

TEST_F(Recommender, TheSecretOpensItsRoutesAndNoOthers) {
  for (const char* path : {"/products", "/interactions"}) {
    EXPECT_EQ(node_.get(path).status(), 401) << path << ": even before there is any account";
    EXPECT_EQ(node_.get(path, {{"client_header_secret", "wrong"}}).status(), 401) << path;
    EXPECT_EQ(node_.get(path, {{"client_header_secret", ""}}).status(), 401) << path;
    EXPECT_EQ(node_.get(path, kSecret).status(), 200) << path;
    EXPECT_EQ(node_.get(path, {{"client-header-secret", "s3cret"}}).status(), 200) << path;
  }
  const auto root = enter(node_, "root", Role::kAdmin);
  EXPECT_EQ(node_.get("/products", root.as()).status(), 403) << "a person's token";
  EXPECT_EQ(node_.get("/products", bearer("unknown")).status(), 401);
  EXPECT_EQ(node_.get("/v1/admin/jobs", kSecret).status(), 401);
  EXPECT_EQ(node_.call("POST", "/interactions/track", "{}", kSecret).status(), 401)
      << "a token's route";
  EXPECT_EQ(node_.get("/category-recommendations?category=x").body(), "[]");
}

}  // namespace
}  // namespace millrace
