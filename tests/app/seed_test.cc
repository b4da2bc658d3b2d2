#include "app/seed.h"

#include <gtest/gtest.h>

#include <fstream>

#include "app/node.h"
#include "schemas/json_value.h"
#include "tests/support/temp_dir.h"

namespace millrace::app {
namespace {

class Seed : public ::testing::Test {
 protected:
  void start(const std::string& admin_token = {}) {
    ServeConfig config;
    config.data = (dir_.path() / "data").string();
    config.http.port = 0;
    config.log.durability = Durability::kOs;
    config.admin_token = admin_token;
    auto started = Node::start(config, Node::Http::kListen);
    ASSERT_TRUE(started) << started.error().detail;
    node_ = *std::move(started);
    auto url = Url::parse("http://127.0.0.1:" + std::to_string(node_->port()));
    target_ = std::make_unique<HttpTarget>(*std::move(url), admin_token);
  }
  std::string count(const std::string& path) {
    const auto reply = target_->get(path);
    if (!reply || reply->status != 200) return "no answer";
    const auto json = parse_json(reply->body);
    const Json* found = json ? json->find("count") : nullptr;
    return found == nullptr ? "no count" : found->text;
  }

  TempDir dir_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<HttpTarget> target_;
};

TEST_F(Seed, FillsAnOpenServerWithMoviesPeopleAndWhatTheyDid) {
  start();
  const auto seeded = seed_movies(*target_, {.users = 3, .deeds = 20}, {});
  ASSERT_TRUE(seeded) << seeded.error().detail;
  ASSERT_EQ(seeded->users.size(), 3u);
  EXPECT_NE(seeded->users[0].password, seeded->users[1].password);
  EXPECT_EQ(seeded->totals.items_created, 100u);
  EXPECT_EQ(seeded->totals.events_accepted, 60u);
  EXPECT_EQ(seeded->totals.rejected, 0u);
  EXPECT_EQ(count("/api/movies/"), "100");
  EXPECT_EQ(count("/api/movies/?search=amelie+2001"), "1");
  EXPECT_NE(count("/api/ratings/"), "0");
}

TEST_F(Seed, TheSameAgainChangesNothing) {
  start("token");
  const SeedOptions options{.password = "a long sentence", .users = 2, .as_admin = true};
  const auto first = seed_movies(*target_, options, {});
  ASSERT_TRUE(first) << first.error().detail;
  const auto ratings = count("/api/ratings/");
  const auto again = seed_movies(*target_, options, {});
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->totals.events_accepted, 0u);
  EXPECT_EQ(again->totals.duplicates, 60u);
  EXPECT_EQ(again->users[0].password, "") << "the account was there already";
  EXPECT_EQ(count("/api/ratings/"), ratings);
  EXPECT_EQ(count("/api/users/"), "3");
}

TEST_F(Seed, TakesMoviesFromAFileOrAFolder) {
  start("token");
  std::ofstream(dir_.path() / "movies.csv") << "movieId,title,genres\n7,Heat (1995),Crime|Drama\n";
  const SeedOptions file{
      .from = dir_.path() / "movies.csv", .users = 1, .deeds = 5, .as_admin = true};
  ASSERT_TRUE(seed_movies(*target_, file, {}));
  EXPECT_EQ(count("/api/movies/"), "1");
  EXPECT_EQ(count("/api/movies/7/ratings/"), "1");
  const SeedOptions folder{.from = dir_.path(), .users = 1, .deeds = 5, .as_admin = true};
  EXPECT_TRUE(seed_movies(*target_, folder, {}));
  const SeedOptions nothing{.from = dir_.path() / "data", .as_admin = true};
  EXPECT_FALSE(seed_movies(*target_, nothing, {}));
}

TEST_F(Seed, WhoIsThereAlreadyNeedsAnAdmin) {
  start();
  ASSERT_TRUE(seed_movies(*target_, {.users = 1, .deeds = 1}, {}));
  const auto again = seed_movies(*target_, {.users = 1, .deeds = 1}, {});
  ASSERT_FALSE(again);
}

}  // namespace
}  // namespace millrace::app
