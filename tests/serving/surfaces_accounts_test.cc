#include <gtest/gtest.h>

#include <set>
#include <string>

#include "serving/surfaces/account_body.h"
#include "tests/serving/account_world.h"

namespace millrace {
namespace {

class Accounts : public AccountWorld {};

// ---- signing up and reading

TEST_F(Accounts, SignUpAnswersWithTheAccountAndNeverWithItsPassword) {
  const auto made = node_.call("POST", "/api/users/", sign_up_body("Ann"));
  ASSERT_EQ(made.status(), 201) << made.body();
  EXPECT_EQ(made.at("username"), "Ann");
  EXPECT_EQ(made.at("email"), "Ann@example.org");
  EXPECT_EQ(made.at("role"), "user");
  EXPECT_EQ(made.at("date_joined"), "2026-09-21T14:13:20.000Z");
  EXPECT_FALSE(made.position().empty());
  EXPECT_EQ(made.body().find("password"), std::string::npos);
  EXPECT_EQ(made.body().find("argon2"), std::string::npos);
}

TEST_F(Accounts, SignUpNamesTheFieldThatBreaksARule) {
  const auto field = [&](const std::string& body) {
    const auto reply = node_.call("POST", "/api/users/", body);
    EXPECT_EQ(reply.status(), 400) << reply.body();
    return reply.at("field");
  };
  EXPECT_EQ(field("[]"), "body");
  EXPECT_EQ(field("{"), "body");
  EXPECT_EQ(field("{}"), "username");
  EXPECT_EQ(field(R"({"username":"a b"})"), "username");
  EXPECT_EQ(field(R"({"username":"a@b.org"})"), "username");
  EXPECT_EQ(field(R"({"username":""})"), "username");
  EXPECT_EQ(field(R"({"username":7})"), "username");
  EXPECT_EQ(field(R"({"username":"ann"})"), "email");
  for (const char* email : {"ann", "ann@", "@x.org", "ann@x", "a b@x.org", "ann@x..org",
                            "ann@-x.org", "a..n@x.org", ""}) {
    EXPECT_EQ(field(R"({"username":"ann","email":")" + std::string(email) + "\"}"), "email")
        << email;
  }
  EXPECT_EQ(field(R"({"username":"ann","email":"a@b.org"})"), "password");
  for (const char* password : {"short", "password", "PassWord123", "qwertyuiop", "aaaaaaaaaaaa"}) {
    EXPECT_EQ(field(sign_up_body("ann", "", password)), "password") << password;
  }
  EXPECT_EQ(field(sign_up_body("ann-the-user", "", "Ann-The-User")), "password");
  EXPECT_EQ(field(sign_up_body("ann", "", "ann@example.org")), "password");
  EXPECT_EQ(field(sign_up_body("ann", "", std::string(129, 'x') + "y")), "password");
  EXPECT_EQ(field(sign_up_body("ann", "king")), "role");
}

TEST_F(Accounts, AnotherContentTypeIsRefused) {
  const auto reply = node_.call("POST", "/api/users/", "username=ann",
                                {{"content-type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(reply.status(), 400);
  EXPECT_EQ(reply.at("field"), "Content-Type");
}

TEST_F(Accounts, WhatIsTakenIsAConflictThatNamesTheField) {
  person("ann");
  const auto name = node_.call("POST", "/api/users/", sign_up_body("ANN"));
  EXPECT_EQ(name.status(), 409);
  EXPECT_EQ(name.at("field"), "username");
  const auto email =
      node_.call("POST", "/api/users/",
                 R"({"username":"bob","email":"ANN@EXAMPLE.org","password":"a long sentence"})");
  EXPECT_EQ(email.status(), 409);
  EXPECT_EQ(email.at("field"), "email");
}

TEST_F(Accounts, OfTwoSignUpsAtOnceOneWins) {
  for (int i = 0; i < 20; ++i) {
    const auto name = "twin" + std::to_string(i);
    const auto body = [&](const std::string& user) {
      return R"({"username":")" + user + R"(","email":")" + name +
             R"(@example.org","password":"a long sentence"})";
    };
    auto first = node_.begin("POST", "/api/users/", body(name + "a"));
    auto second = node_.begin("POST", "/api/users/", body(name + "b"));
    EXPECT_EQ((std::multiset<int>{first.get().status(), second.get().status()}),
              (std::multiset<int>{201, 409}));
  }
}

TEST_F(Accounts, ASignUpSentAgainWithItsKeyIsOneAccount) {
  const TestNode::Headers headers = {{"idempotency-key", "k1"}};
  const auto first = node_.call("POST", "/api/users/", sign_up_body("ann"), headers);
  const auto again = node_.call("POST", "/api/users/", sign_up_body("ann"), headers);
  EXPECT_EQ(first.status(), 201);
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(first.at("id"), again.at("id"));
  const auto other = node_.call("POST", "/api/users/", sign_up_body("bob"), headers);
  EXPECT_EQ(other.status(), 201) << other.body();
  EXPECT_NE(other.at("id"), first.at("id")) << "another's key tells nothing about them";
}

TEST_F(Accounts, OnlyAdminsGiveRoles) {
  const auto reply = node_.call("POST", "/api/users/", sign_up_body("ann", "vendor"));
  EXPECT_EQ(reply.status(), 403);
  EXPECT_EQ(reply.at("field"), "role");
  const auto made = node_.call("POST", "/api/users/", sign_up_body("ann", "vendor"), admin_.as());
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.at("role"), "vendor");
}

TEST_F(Accounts, AdminsSeeAllAndUsersThemselves) {
  const auto ann = person("ann");
  const auto bob = person("bob");
  EXPECT_EQ(node_.get("/api/users/").status(), 401);
  const auto own = node_.get("/api/users/", ann.as());
  EXPECT_EQ(own.status(), 200);
  EXPECT_EQ(own.at("count"), "1");
  EXPECT_EQ(own.ids("results"), std::vector<std::string>{ann.id});
  const auto all = node_.get("/api/users/?page_size=2&page=2", admin_.as());
  EXPECT_EQ(all.at("count"), "3");
  EXPECT_EQ(all.ids("results"), std::vector<std::string>{bob.id});
  EXPECT_EQ(all.find("next")->kind, JsonKind::kNull);
  EXPECT_EQ(all.at("previous"), "/api/users/?page_size=2&page=1");
  EXPECT_EQ(node_.get("/api/users/?page=9", admin_.as()).status(), 404);
  EXPECT_EQ(node_.get("/api/users/?page=0", admin_.as()).at("field"), "page");
  EXPECT_EQ(node_.get("/api/users/?page_size=101", admin_.as()).at("field"), "page_size");
}

TEST_F(Accounts, AProfileIsForItsOwnerAndAdmins) {
  const auto ann = person("ann");
  const auto bob = person("bob");
  const auto path = "/api/users/" + ann.id + "/";
  EXPECT_EQ(node_.get(path, ann.as()).at("username"), "ann");
  EXPECT_EQ(node_.get(path, ann.as()).header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(node_.get(path, admin_.as()).at("username"), "ann");
  EXPECT_EQ(node_.get(path, bob.as()).status(), 403);
  EXPECT_EQ(node_.get(path).status(), 401);
  EXPECT_EQ(node_.get("/api/users/999/", admin_.as()).status(), 404);
  EXPECT_EQ(node_.get("/api/users/999/", ann.as()).status(), 403)
      << "users are not told who exists";
  EXPECT_EQ(node_.get("/api/users/x/", admin_.as()).status(), 404);
}

// ---- changing and closing

TEST_F(Accounts, OnlyTheOwnerChangesAnAccount) {
  const auto ann = with_password("ann");
  const auto bob = with_password("bob");
  const auto path = "/api/users/" + ann.id + "/";
  const std::string body = R"({"email":"new@example.org"})";
  EXPECT_EQ(node_.call("PATCH", path, body).status(), 401);
  EXPECT_EQ(node_.call("PATCH", path, body, bob.as()).status(), 403);
  EXPECT_EQ(node_.call("PATCH", path, body, admin_.as()).status(), 403);
  const auto changed = node_.call("PATCH", path, body, ann.as());
  EXPECT_EQ(changed.status(), 200) << changed.body();
  EXPECT_EQ(changed.at("email"), "new@example.org");
  EXPECT_EQ(changed.at("username"), "ann");
  EXPECT_EQ(node_.call("PUT", path, body, ann.as()).at("field"), "username");
  EXPECT_EQ(node_.call("PATCH", path, R"({"email":"x"})", ann.as()).at("field"), "email");
  EXPECT_EQ(node_.call("PATCH", path, R"({"role":"admin"})", ann.as()).status(), 403);
  EXPECT_EQ(node_.call("PATCH", path, R"({"role":"user"})", ann.as()).status(), 200);
  const auto taken = node_.call("PATCH", path, R"({"username":"BOB"})", ann.as());
  EXPECT_EQ(taken.status(), 409);
  EXPECT_EQ(taken.at("field"), "username");
  const auto put = node_.call("PUT", path, R"({"username":"anna","email":"a@b.org"})", ann.as());
  EXPECT_EQ(put.at("username"), "anna");
  EXPECT_EQ(log_in("a@b.org").status(), 200);
}

TEST_F(Accounts, ANewPasswordNeedsTheOldOneAndEndsAllTokens) {
  const auto ann = with_password("ann");
  const auto path = "/api/users/" + ann.id + "/";
  const auto body = [](const std::string& old) {
    return R"({"password":"another sentence","old_password":")" + old + "\"}";
  };
  EXPECT_EQ(node_.call("PATCH", path, R"({"password":"another sentence"})", ann.as()).at("field"),
            "old_password");
  const auto wrong = node_.call("PATCH", path, body("not it at all"), ann.as());
  EXPECT_EQ(wrong.status(), 400);
  EXPECT_EQ(wrong.at("field"), "old_password");
  EXPECT_EQ(node_.call("PATCH", path, R"({"password":"password1","old_password":"x"})", ann.as())
                .at("field"),
            "password");
  EXPECT_EQ(node_.call("PATCH", path, body(kPassword), ann.as()).status(), 200);
  EXPECT_EQ(node_.get(path, ann.as()).status(), 401);
  EXPECT_EQ(log_in("ann").status(), 401);
  EXPECT_EQ(log_in("ann", "another sentence").status(), 200);
}

TEST_F(Accounts, ClosingErasesThePersonAndFreesTheName) {
  const auto ann = with_password("ann");
  const auto bob = with_password("bob");
  node_.call("PUT", "/v1/items/movie:1", R"({"title":"Heat"})", admin_.as());
  const auto rate =
      R"({"type":"rate","data":{"user":")" + ann.id + R"(","item":"movie:1","value":4}})";
  ASSERT_EQ(node_.call("POST", "/v1/events?wait=applied", rate, ann.as()).at("accepted"), "1");
  EXPECT_EQ(node_.get("/v1/items/movie:1").at("rating_count"), "1");
  const auto path = "/api/users/" + ann.id + "/";
  EXPECT_EQ(node_.call("DELETE", path).status(), 401);
  EXPECT_EQ(node_.call("DELETE", path, "", bob.as()).status(), 403);
  const auto closed = node_.call("DELETE", path, "", ann.as());
  EXPECT_EQ(closed.status(), 204) << closed.body();
  EXPECT_EQ(node_.get("/v1/items/movie:1").at("rating_count"), "0");
  EXPECT_EQ(node_.get(path, ann.as()).status(), 401);
  EXPECT_EQ(log_in("ann").status(), 401);
  EXPECT_EQ(node_.call("DELETE", path, "", admin_.as()).status(), 404);
  EXPECT_EQ(node_.call("DELETE", "/api/users/" + bob.id + "/", "", admin_.as()).status(), 204);
  EXPECT_EQ(node_.call("POST", "/api/users/", sign_up_body("ann")).status(), 201);
}

TEST_F(Accounts, AreTheSameAfterARestartFromTheLogAlone) {
  const auto ann = with_password("ann");
  node_.restart(true);
  EXPECT_EQ(node_.get("/api/users/" + ann.id + "/", ann.as()).at("username"), "ann");
  EXPECT_EQ(log_in("ann").status(), 200);
}

TEST_F(Accounts, NumbersKeepClearOfUsersThatHaveEvents) {
  const std::string event = R"({"type":"view","data":{"user":"610","item":"movie:1"}})";
  ASSERT_EQ(node_.call("POST", "/v1/events?wait=applied", event, admin_.as()).at("accepted"), "1");
  EXPECT_EQ(with_password("ann").id, "700");
  EXPECT_EQ(with_password("bob").id, "701");
}

TEST(CommonPasswords, AreOnesThatTheLengthLetsThrough) {
  std::string_view rest = serving::common_passwords();
  std::size_t count = 0;
  std::set<std::string_view> seen;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    EXPECT_GE(line.size(), serving::kMinPassword) << line;
    EXPECT_EQ(fold_name(line), line);
    EXPECT_TRUE(seen.insert(line).second) << line;
    ++count;
  }
  EXPECT_GT(count, 700u);
}

}  // namespace
}  // namespace millrace
