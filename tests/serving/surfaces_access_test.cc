#include "serving/surfaces/authorize.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/serving/account_world.h"

namespace millrace {
namespace {

class Access : public AccountWorld {};

// ---- tokens

TEST_F(Access, ATokenIsGivenForNameOrAddressAndItsPassword) {
  with_password("ann");
  const auto token = log_in("ANN@example.org");
  EXPECT_EQ(token.status(), 200);
  EXPECT_EQ(token.at("token").size(), 43u);
  EXPECT_EQ(token.at("expires_at"), "2026-10-21T14:13:20.000Z");
  EXPECT_EQ(token.header("Cache-Control"), "no-store");
  const auto wrong = log_in("ann", "a wrong sentence");
  const auto nobody = log_in("nobody", "a wrong sentence");
  EXPECT_EQ(wrong.status(), 401);
  EXPECT_EQ(wrong.body(), nobody.body()) << "nobody is told which names there are";
  EXPECT_EQ(node_.call("POST", "/api/token/", "{}").at("field"), "username");
  EXPECT_EQ(node_.call("POST", "/api/token/", R"({"username":"ann"})").at("field"), "password");
}

TEST_F(Access, ACredentialComesInThreeHeaders) {
  const auto ann = person("ann");
  const auto path = "/api/users/" + ann.id + "/";
  for (const TestNode::Headers& headers :
       {bearer(ann.token), TestNode::Headers{{"authorization", "Token " + ann.token}},
        TestNode::Headers{{"authorization", "bearer " + ann.token}},
        TestNode::Headers{{"x-api-key", ann.token}}}) {
    EXPECT_EQ(node_.get(path, headers).status(), 200) << headers[0].second;
  }
  for (const auto& text : {"Basic " + ann.token, std::string("Bearer"), std::string("Bearer "),
                           "Bearer " + ann.token + "x", ann.token}) {
    EXPECT_EQ(node_.get(path, {{"authorization", text}}).status(), 401) << text;
  }
}

TEST_F(Access, ABadCredentialIsRefusedOnPublicRoutesButNotByTheService) {
  for (const char* path : {"/v1/items", "/v1/lists/popular"}) {
    EXPECT_EQ(node_.get(path, bearer("wrong")).status(), 401) << path;
    EXPECT_EQ(node_.get(path).status(), 200) << path;
  }
  for (const char* path :
       {"/health/", "/ready/", "/metrics", "/openapi.yaml", "/openapi/accounts.yaml"}) {
    EXPECT_EQ(node_.get(path, bearer("wrong")).status(), 200) << path;
  }
  EXPECT_EQ(node_.get("/openapi/nothing.yaml").status(), 404);
}

TEST_F(Access, TokensExpireAreListedAndEnd) {
  const auto ann = with_password("ann");
  const auto bob = with_password("bob");
  const auto second = log_in("ann").at("token");
  const auto list = node_.get("/api/token/", ann.as());
  ASSERT_EQ(list.size("tokens"), 2u);
  EXPECT_EQ(list.at("tokens.0.current"), "true");
  EXPECT_EQ(list.at("tokens.1.current"), "false");
  EXPECT_EQ(list.body().find(ann.token), std::string::npos);
  const auto path = "/api/token/" + list.at("tokens.1.id") + "/";
  EXPECT_EQ(node_.call("DELETE", path).status(), 401);
  EXPECT_EQ(node_.call("DELETE", path, "", bob.as()).status(), 404);
  EXPECT_EQ(node_.call("DELETE", path, "", ann.as()).status(), 204);
  EXPECT_EQ(node_.get("/api/token/", bearer(second)).status(), 401);
  EXPECT_EQ(node_.call("DELETE", path, "", ann.as()).status(), 404);
  EXPECT_EQ(node_.call("DELETE", "/api/token/", "", ann.as()).status(), 204);
  EXPECT_EQ(node_.get("/api/token/", ann.as()).status(), 401) << "signed out";
  node_.clock().advance(30LL * 24 * 3'600'000);
  EXPECT_EQ(node_.get("/api/token/", bob.as()).status(), 401) << "expired";
  EXPECT_EQ(log_in("bob").status(), 200);
}

TEST_F(Access, TriesToLogInAreLimitedByNameWhicheverExists) {
  const auto ann = with_password("ann");
  for (const char* name : {"ann", "nobody"}) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in(name, "not the password").status(), 401);
    const auto refused = log_in(name);
    EXPECT_EQ(refused.status(), 429);
    EXPECT_EQ(refused.header("Retry-After"), "6");
  }
  EXPECT_EQ(node_.get("/api/users/", ann.as()).status(), 200) << "tokens go on working";
  node_.clock().advance(6'000);
  EXPECT_EQ(log_in("ann").status(), 200);
  EXPECT_EQ(log_in("ann").status(), 200) << "good tries are not counted";
}

// ---- who may do what on /v1

TEST_F(Access, PersonsAdminsAndServicesOnV1) {
  const auto ann = person("ann");
  const auto bob = person("bob");
  const auto reader = key("read"), ingester = key("ingest"), admin_key = key("admin");
  for (const std::string& path :
       {"/v1/feed/" + ann.id, "/v1/recommendations/" + ann.id, "/v1/users/" + ann.id + "/profile",
        "/v1/users/" + ann.id + "/history"}) {
    EXPECT_EQ(node_.get(path, ann.as()).status(), 200) << path;
    EXPECT_EQ(node_.get(path, admin_.as()).status(), 200) << path;
    EXPECT_EQ(node_.get(path, bearer(reader)).status(), 200) << path;
    EXPECT_EQ(node_.get(path, bearer(admin_key)).status(), 200) << path;
    EXPECT_EQ(node_.get(path, bob.as()).status(), 403) << path;
    EXPECT_EQ(node_.get(path, bearer(ingester)).status(), 403) << path;
    EXPECT_EQ(node_.get(path).status(), 401) << path;
  }
  EXPECT_EQ(node_.call("DELETE", "/v1/users/" + ann.id, "", bearer(reader)).status(), 403);
  EXPECT_EQ(node_.call("PUT", "/v1/items/movie:1", "{}", ann.as()).status(), 403);
  EXPECT_EQ(node_.call("PUT", "/v1/items/movie:1", "{}").status(), 401);
  EXPECT_EQ(node_.call("PUT", "/v1/items/movie:1", "{}", bearer(admin_key)).status(), 201);
  EXPECT_EQ(node_.get("/v1/admin/status", ann.as()).status(), 403);
  EXPECT_EQ(node_.get("/api/users/", bearer(reader)).status(), 403) << "a key is no account";
}

TEST_F(Access, EventsAreForServicesThatIngestOrForOneself) {
  const auto ann = person("ann");
  const auto bob = person("bob");
  const auto event = [](const std::string& user) {
    return R"({"type":"view","data":{"user":")" + user + R"(","item":"movie:1"}})";
  };
  const auto status = [&](const std::string& body, const TestNode::Headers& as) {
    return node_.call("POST", "/v1/events", body, as).status();
  };
  EXPECT_EQ(status(event(ann.id), {}), 401);
  EXPECT_EQ(status(event(ann.id), ann.as()), 200);
  EXPECT_EQ(status(event(ann.id), bob.as()), 403);
  EXPECT_EQ(status("[" + event(ann.id) + "," + event(bob.id) + "]", ann.as()), 403);
  EXPECT_EQ(status(event("0" + ann.id), ann.as()), 403);
  EXPECT_EQ(status(event(ann.id), bearer(key("read"))), 403);
  EXPECT_EQ(status(event("anybody"), bearer(key("ingest"))), 200);
  EXPECT_EQ(status(event("anybody"), admin_.as()), 200);
}

// ---- keys

TEST_F(Access, KeysAreMadeRotatedAndRevokedByAdmins) {
  const auto ann = person("ann");
  const std::string body = R"({"name":"shop","scopes":["ingest","read"],"expires_in_days":10})";
  EXPECT_EQ(node_.call("POST", "/v1/admin/keys", body).status(), 401);
  EXPECT_EQ(node_.call("POST", "/v1/admin/keys", body, ann.as()).status(), 403);
  const auto field = [&](const std::string& text) {
    return node_.call("POST", "/v1/admin/keys", text, admin_.as()).at("field");
  };
  EXPECT_EQ(field("{}"), "name");
  EXPECT_EQ(field(R"({"name":"a"})"), "scopes");
  EXPECT_EQ(field(R"({"name":"a","scopes":[]})"), "scopes");
  EXPECT_EQ(field(R"({"name":"a","scopes":["all"]})"), "scopes");
  EXPECT_EQ(field(R"({"name":"a","scopes":["read"],"expires_in_days":0})"), "expires_in_days");
  const auto made = node_.call("POST", "/v1/admin/keys", body, admin_.as());
  ASSERT_EQ(made.status(), 201) << made.body();
  const auto old = bearer(made.at("key"));
  EXPECT_EQ(node_.get("/v1/feed/u1", old).status(), 200);
  const auto path = "/v1/admin/keys/" + made.at("id");
  const auto fresh = node_.call("POST", path + "/rotate", "", admin_.as());
  ASSERT_EQ(fresh.status(), 200) << fresh.body();
  EXPECT_EQ(fresh.at("scopes.1"), "read");
  EXPECT_EQ(fresh.at("expires_at"), made.at("expires_at"));
  EXPECT_EQ(node_.get("/v1/feed/u1", old).status(), 401);
  EXPECT_EQ(node_.get("/v1/feed/u1", bearer(fresh.at("key"))).status(), 200);
  EXPECT_EQ(node_.call("POST", path + "/rotate", "", admin_.as()).status(), 404);
  const auto list = node_.get("/v1/admin/keys", admin_.as());
  EXPECT_EQ(list.ids("keys"), std::vector<std::string>{fresh.at("id")});
  EXPECT_EQ(list.find("keys.0.key"), nullptr);
  const auto now = "/v1/admin/keys/" + fresh.at("id");
  EXPECT_EQ(node_.call("DELETE", now, "", admin_.as()).status(), 204);
  EXPECT_EQ(node_.call("DELETE", now, "", admin_.as()).status(), 404);
  EXPECT_EQ(node_.get("/v1/feed/u1", bearer(fresh.at("key"))).status(), 401);
}

TEST_F(Access, AnAccountsTokenIsNoKey) {
  const auto tokens = node_.get("/api/token/", admin_.as());
  const auto path = "/v1/admin/keys/" + tokens.at("tokens.0.id");
  EXPECT_EQ(node_.call("DELETE", path, "", admin_.as()).status(), 404);
  EXPECT_EQ(node_.call("POST", path + "/rotate", "", admin_.as()).status(), 404);
}

TEST(OpenNode, EverythingIsOpenUntilTheFirstAccount) {
  TestNode node;
  EXPECT_EQ(node.get("/v1/admin/status").status(), 200);
  EXPECT_EQ(node.get("/v1/admin/status", bearer("anything")).status(), 200);
  ASSERT_EQ(node.call("POST", "/api/users/",
                      R"({"username":"a","email":"a@b.org","password":"a long sentence"})")
                .status(),
            201);
  EXPECT_EQ(node.get("/v1/admin/status").status(), 401);
}

}  // namespace
}  // namespace millrace
