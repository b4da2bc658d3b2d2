#include "app/admin_token.h"

#include <gtest/gtest.h>

#include "app/node.h"
#include "app/target.h"
#include "schemas/json_value.h"
#include "tests/support/temp_dir.h"

namespace millrace::app {
namespace {

class AdminToken : public ::testing::Test {
 protected:
  void start(const std::string& admin_token, const std::string& host = "127.0.0.1") {
    node_.reset();
    ServeConfig config;
    config.data = (dir_.path() / "data").string();
    config.http.port = 0;
    config.http.host = host;
    config.log.durability = Durability::kOs;
    config.admin_token = admin_token;
    auto started = Node::start(config, Node::Http::kListen);
    failure_ = started ? Error{} : started.error();
    if (started) node_ = *std::move(started);
  }
  int status(const std::string& path, const std::string& token) {
    auto url = Url::parse("http://127.0.0.1:" + std::to_string(node_->port()));
    HttpTarget target(*std::move(url), token);
    const auto reply = target.get(path);
    return reply ? reply->status : 0;
  }
  std::size_t accounts() const { return node_->engine().catalog().accounts()->size(); }

  TempDir dir_;
  std::unique_ptr<Node> node_;
  Error failure_;
};

constexpr const char* kAdminPath = "/v1/admin/status";

TEST_F(AdminToken, IsARealAccountWithRoleAdmin) {
  start("t1");
  EXPECT_EQ(status(kAdminPath, "t1"), 200);
  EXPECT_EQ(status(kAdminPath, "t2"), 401);
  EXPECT_EQ(status(kAdminPath, ""), 401);
  const auto view = node_->engine().catalog().accounts();
  ASSERT_NE(view->find_name("admin"), nullptr);
  EXPECT_EQ(view->find_name("admin")->role, Role::kAdmin);
  EXPECT_EQ(status("/api/users/" + std::to_string(view->find_name("admin")->id.value) + "/", "t1"),
            200);
}

TEST_F(AdminToken, EndsWithTheConfigurationOnly) {
  start("t1");
  auto url = Url::parse("http://127.0.0.1:" + std::to_string(node_->port()));
  HttpTarget target(*std::move(url), "t1");
  const auto reply = target.send({"DELETE", "/api/token/", {}, {}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 409) << reply->body;
  EXPECT_EQ(status(kAdminPath, "t1"), 200);
}

TEST_F(AdminToken, ItsAccountCannotBeTakenFromUnderIt) {
  start("t1");
  auto url = Url::parse("http://127.0.0.1:" + std::to_string(node_->port()));
  HttpTarget target(*std::move(url), "t1");
  const auto admin = node_->engine().catalog().accounts()->find_name("admin")->id.value;
  const auto path = "/api/users/" + std::to_string(admin) + "/";
  const auto closed = target.send({"DELETE", path, {}, {}});
  EXPECT_EQ(closed->status, 409) << closed->body;
  const auto demoted =
      target.send({"PATCH", path, {{"content-type", "application/json"}}, R"({"role":"user"})"});
  EXPECT_EQ(demoted->status, 409) << demoted->body;
  EXPECT_EQ(status(kAdminPath, "t1"), 200);
}

TEST_F(AdminToken, ANewOneEndsTheOldAndStaysTheSameAccount) {
  start("t1");
  start("t1");
  EXPECT_EQ(accounts(), 1u);
  start("t2");
  EXPECT_EQ(status(kAdminPath, "t2"), 200);
  EXPECT_EQ(status(kAdminPath, "t1"), 401);
  EXPECT_EQ(accounts(), 1u);
  start("t1");
  EXPECT_EQ(status(kAdminPath, "t1"), 200) << "an earlier one may come back";
}

TEST_F(AdminToken, WithoutOneItEndsButNothingIsOpenAgain) {
  start("t1");
  start("");
  EXPECT_EQ(status(kAdminPath, "t1"), 401);
  EXPECT_EQ(status(kAdminPath, ""), 401);
}

TEST_F(AdminToken, APublicAddressNeedsAuthentication) {
  start("", "0.0.0.0");
  EXPECT_EQ(node_, nullptr);
  EXPECT_EQ(failure_.field, "host");
  start("t1", "0.0.0.0");
  EXPECT_NE(node_, nullptr);
  start("", "0.0.0.0");
  EXPECT_NE(node_, nullptr) << "there is an account: nothing is open";
}

TEST_F(AdminToken, TheDataFoldersOwnerMayDoEverything) {
  start("t1");
  node_.reset();
  ServeConfig config;
  config.data = (dir_.path() / "data").string();
  auto local = Node::start(config, Node::Http::kNone);
  ASSERT_TRUE(local);
  serving::Request request;
  request.method = "GET";
  request.path = request.target = kAdminPath;
  EXPECT_EQ((*local)->call(request).status, 200);
  local->reset();
  start("t1");
  EXPECT_EQ(status(kAdminPath, "t1"), 200) << "a verb on the data does not end the token";
}

}  // namespace
}  // namespace millrace::app
