// Limits, blocks, anomalies and the audit trail, through the real dispatcher.
#include <gtest/gtest.h>

#include "serving/surfaces/audit.h"
#include "tests/serving/account_world.h"
#include "tests/support/eventually.h"

namespace millrace {
namespace {

TestNode::Options with(serving::GateOptions gate) {
  TestNode::Options options;
  options.gate = std::move(gate);
  return options;
}

class Guarded : public ::testing::Test {
 protected:
  explicit Guarded(TestNode::Options options = with({.addresses = {.failures = 100}}))
      : node_(std::move(options)), admin_(enter(node_, "root", Role::kAdmin)) {}

  int get(const std::string& path, const TestNode::Headers& as = {}) {
    return node_.get(path, as).status();
  }
  // Automatic blocks come a little after what they are for.
  bool is_blocked(const std::string& address) {
    node_.come_from(address);
    return eventually([this] { return get("/v1/items") == 403; });
  }
  std::string block_body(const std::string& address, const std::string& more = {}) {
    return R"({"address":")" + address + "\"" + more + "}";
  }
  TestReply block(const std::string& address, const std::string& more = {}) {
    return node_.call("POST", "/v1/admin/blocked", block_body(address, more), admin_.as());
  }

  TestNode node_;
  Person admin_;
};

// ---- limits

TEST(Limited, RequestsBeyondTheRateAreRefusedButProbesAreNot) {
  TestNode node(with({.addresses = {.per_minute = 10}}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(node.get("/v1/items").status(), 200);
  const auto refused = node.get("/v1/items");
  EXPECT_EQ(refused.status(), 429);
  EXPECT_EQ(refused.at("type"), "urn:millrace:problem:exhausted");
  EXPECT_EQ(refused.header("Retry-After"), "6");
  EXPECT_EQ(node.get("/nothing/here").status(), 429) << "unknown paths count, too";
  for (const char* path : {"/health/", "/ready", "/metrics"}) {
    EXPECT_EQ(node.get(path).status(), 200) << path;
  }
  node.come_from("127.0.0.2");
  EXPECT_EQ(node.get("/v1/items").status(), 200);
  node.come_from("127.0.0.1");
  node.clock().advance(6'000);
  EXPECT_EQ(node.get("/v1/items").status(), 200);
  EXPECT_EQ(node.get("/v1/items").status(), 429);
  EXPECT_NE(node.metrics().text().find("http_rejected_total{reason=\"rate\"} 3"),
            std::string::npos);
}

TEST(Limited, SignUpsOfEverybodyTogether) {
  TestNode::Options options;
  options.surface.accounts.sign_ups = 1;
  TestNode node(options);
  const auto sign_up = [&](const std::string& name) {
    return node.call("POST", "/api/users/",
                     R"({"username":")" + name + R"(","email":")" + name +
                         R"(@b.org","password":"a long sentence"})");
  };
  EXPECT_EQ(node.call("POST", "/api/users/", "{}").status(), 400) << "what is none does not count";
  EXPECT_EQ(sign_up("a").status(), 201);
  node.come_from("10.0.0.1");
  EXPECT_EQ(sign_up("b").status(), 429);
  EXPECT_EQ(sign_up("b").header("Retry-After"), "60");
  node.clock().advance(60'000);
  EXPECT_EQ(sign_up("b").status(), 201);
}

// ---- blocks

TEST_F(Guarded, AdminsBlockAndUnblock) {
  EXPECT_EQ(node_.call("POST", "/v1/admin/blocked", block_body("10.0.0.1")).status(), 401);
  const auto ann = enter(node_, "ann");
  EXPECT_EQ(node_.call("POST", "/v1/admin/blocked", block_body("10.0.0.1"), ann.as()).status(),
            403);
  EXPECT_EQ(node_.call("POST", "/v1/admin/blocked", "{}", admin_.as()).at("field"), "address");
  EXPECT_EQ(block("10.0.0.0/40").at("field"), "address");
  EXPECT_EQ(block("10.0.0.1", R"(,"expires_in_seconds":0)").at("field"), "expires_in_seconds");
  const auto made = block("10.0.0.0/8", R"(,"reason":"scraping","expires_in_seconds":60)");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.at("reason"), "scraping");
  EXPECT_EQ(made.at("automatic"), "false");
  EXPECT_EQ(block("10.0.0.0/8", R"(,"expires_in_seconds":90)").status(), 200);
  node_.come_from("10.7.0.1");
  EXPECT_EQ(get("/v1/items"), 403);
  EXPECT_EQ(get("/nothing/here"), 403);
  EXPECT_EQ(get("/openapi.yaml"), 403);
  EXPECT_EQ(get("/v1/items", ann.as()), 403);
  EXPECT_EQ(get("/health/"), 200);
  EXPECT_EQ(node_.get("/v1/items").header("Retry-After"), "90");
  EXPECT_EQ(get("/v1/admin/blocked", admin_.as()), 200) << "or nobody could end it";
  const auto path = "/v1/admin/blocked/10.0.0.0%2F8";
  EXPECT_EQ(node_.call("DELETE", path, "", ann.as()).status(), 403);
  EXPECT_EQ(node_.call("DELETE", path, "", admin_.as()).status(), 204);
  EXPECT_EQ(node_.call("DELETE", path, "", admin_.as()).status(), 404);
  EXPECT_EQ(node_.call("DELETE", "/v1/admin/blocked/x", "", admin_.as()).at("field"), "address");
  EXPECT_EQ(get("/v1/items"), 200);
}

TEST_F(Guarded, BlocksEndByThemselvesAndAreListedByPages) {
  for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) block(address);
  block("10.0.0.4", R"(,"expires_in_seconds":60)");
  node_.clock().advance(61'000);
  const auto first = node_.get("/v1/admin/blocked?limit=2", admin_.as());
  ASSERT_EQ(first.size("blocked"), 2u);
  EXPECT_EQ(first.at("blocked.1.address"), "10.0.0.2");
  EXPECT_EQ(first.find("blocked.1.until")->kind, JsonKind::kNull);
  const auto rest =
      node_.get("/v1/admin/blocked?limit=2&cursor=" + first.at("next_cursor"), admin_.as());
  ASSERT_EQ(rest.size("blocked"), 1u) << rest.body();
  EXPECT_EQ(rest.at("blocked.0.address"), "10.0.0.3");
  node_.come_from("10.0.0.4");
  EXPECT_EQ(get("/v1/items"), 200);
}

TEST_F(Guarded, ManyUnknownPathsBlockAnAddressForAWhile) {
  node_.come_from("127.0.0.9");
  for (int i = 0; i < 99; ++i) EXPECT_EQ(get("/wp-admin/" + std::to_string(i)), 404);
  EXPECT_EQ(get("/v1/items"), 200);
  EXPECT_EQ(get("/wp-admin/"), 404);
  EXPECT_TRUE(is_blocked("127.0.0.9"));
  node_.restart();
  EXPECT_EQ(get("/v1/items"), 403) << "over a restart, too";
  const auto list = node_.get("/v1/admin/blocked", admin_.as());
  EXPECT_EQ(list.at("blocked.0.address"), "127.0.0.9");
  EXPECT_EQ(list.at("blocked.0.automatic"), "true");
  node_.come_from("127.0.0.1");
  EXPECT_EQ(get("/v1/items"), 200);
  node_.come_from("127.0.0.9");
  node_.clock().advance(3'600'001);
  EXPECT_EQ(get("/v1/items"), 200);
}

TEST_F(Guarded, BadTokensAndFailedLogInsBlockButMistakesDoNot) {
  const auto ann = enter(node_, "ann");
  node_.come_from("10.0.0.5");
  for (int i = 0; i < 120; ++i) {
    EXPECT_EQ(get("/v1/admin/status"), 401) << "no token";
    EXPECT_EQ(get("/v1/admin/status", ann.as()), 403);
    EXPECT_EQ(get("/v1/items?limit=x"), 400);
    EXPECT_EQ(get("/v1/items/movie:1"), 404) << "a known path";
  }
  EXPECT_EQ(get("/v1/items"), 200);
  for (int i = 0; i < 98; ++i) EXPECT_EQ(get("/v1/items", bearer("wrong")), 401);
  for (const char* name : {"ann", "bob"}) {
    const auto body = std::string(R"({"username":")") + name + R"(","password":"x"})";
    EXPECT_EQ(node_.call("POST", "/api/token/", body).status(), 401);
  }
  EXPECT_TRUE(is_blocked("10.0.0.5"));
}

// ---- anomalies

class Unusual : public Guarded {
 protected:
  Unusual() : Guarded(with({})) {}
};

TEST_F(Unusual, ARateFarAboveAnAddresssOwnIsListed) {
  node_.come_from("10.0.0.6");
  for (int minute = 0; minute < 12; ++minute) {
    for (int i = 0; i < 20; ++i) get("/health");  // probes do not count
    for (int i = 0; i < 5; ++i) get("/v1/admin/status");
    node_.clock().advance(60'000);
  }
  for (int i = 0; i < 400; ++i) get("/v1/admin/status");
  const auto listed = [this] { return node_.get("/v1/admin/anomalies", admin_.as()); };
  ASSERT_TRUE(eventually([&] { return listed().size("anomalies") == 1; }));
  EXPECT_EQ(listed().at("anomalies.0.address"), "10.0.0.6");
  EXPECT_EQ(listed().at("anomalies.0.details.kind"), "rate");
  EXPECT_EQ(listed().at("anomalies.0.details.mean"), "5");
  EXPECT_EQ(node_.get("/v1/admin/anomalies?subject=10.0.0.7", admin_.as()).size("anomalies"), 0u);
  EXPECT_NE(node_.metrics().text().find("address_anomalies_total{kind=\"rate\"} 1"),
            std::string::npos);
  node_.restart();
  EXPECT_EQ(listed().size("anomalies"), 1u);
}

// ---- the trail

constexpr std::int64_t kDay = 86'400'000;

class Audited : public AccountWorld {};

TEST_F(Audited, AdministrativeChangesAreToldWithWhoAndWhen) {
  const auto ann = person("ann");
  ASSERT_EQ(
      node_.call("PATCH", "/api/users/" + admin_.id + "/", R"({"username":"boss"})", admin_.as())
          .status(),
      200);
  key("read");
  node_.call("POST", "/api/genres/", R"({"name":"Noir"})", admin_.as());
  node_.call("DELETE", "/api/users/" + ann.id + "/", "", admin_.as());
  EXPECT_EQ(node_.get("/v1/admin/audit").status(), 401);
  EXPECT_EQ(node_.get("/v1/admin/audit", person("bob").as()).status(), 403);
  const auto all = node_.get("/v1/admin/audit", admin_.as());
  ASSERT_EQ(all.size("changes"), 4u) << all.body();
  EXPECT_EQ(all.at("changes.0.action"), "account.close");
  EXPECT_EQ(all.at("changes.0.subject"), ann.id);
  EXPECT_EQ(all.at("changes.0.outcome"), "deleted");
  EXPECT_EQ(all.at("changes.0.actor.account"), admin_.id);
  EXPECT_EQ(all.at("changes.0.actor.address"), "127.0.0.1");
  EXPECT_EQ(all.at("changes.1.details.name"), "Noir");
  EXPECT_EQ(all.at("changes.2.action"), "key.create");
  EXPECT_EQ(all.at("changes.3.details.username"), "true");
  const auto page = node_.get("/v1/admin/audit?limit=3", admin_.as());
  ASSERT_EQ(page.size("changes"), 3u);
  const auto rest = node_.get("/v1/admin/audit?cursor=" + page.at("next_cursor"), admin_.as());
  ASSERT_EQ(rest.size("changes"), 1u);
  EXPECT_EQ(rest.at("changes.0.action"), "account.change");
  EXPECT_EQ(node_.get("/v1/admin/audit?action=account", admin_.as()).size("changes"), 2u);
  EXPECT_EQ(node_.get("/v1/admin/audit?account=77", admin_.as()).size("changes"), 0u);
  for (const char* bad : {"account=x", "since=x", "cursor=x", "limit=0", "action="}) {
    EXPECT_EQ(node_.get(std::string("/v1/admin/audit?") + bad, admin_.as()).status(), 400) << bad;
  }
}

TEST_F(Audited, ReportsAreMadeWhenDueAndByOneNodeOnly) {
  const auto start = node_.clock().now();
  const auto reports = [this] { return node_.get("/v1/admin/audit/reports", admin_.as()); };
  const auto audit = [&](std::int64_t interval = kDay) {
    ASSERT_TRUE(serving::audit_if_due(node_.deps(), start, interval));
  };
  key("read");
  audit();
  EXPECT_EQ(reports().size("reports"), 0u);
  node_.clock().advance(kDay);
  audit(0);
  EXPECT_EQ(reports().size("reports"), 0u) << "0: never";
  audit();
  ASSERT_TRUE(eventually([&] { return reports().size("reports") == 1; }));
  EXPECT_EQ(reports().at("reports.0.report.changes.key"), "");
  EXPECT_EQ(reports().find("reports.0.report.changes")->find("key.create")->text, "1");
  EXPECT_EQ(reports().at("reports.0.report.administrators"), "1");
  EXPECT_EQ(reports().at("reports.0.report.keys_that_never_expire"), "1");
  audit();
  node_.restart();
  audit();
  const auto now = node_.call("POST", "/v1/admin/audit/reports", "", admin_.as());
  EXPECT_EQ(now.status(), 201);
  EXPECT_EQ(now.at("report.changes.key"), "");
  EXPECT_EQ(now.find("report.changes")->members.size(), 0u) << "nothing since the last one";
  EXPECT_EQ(reports().size("reports"), 2u) << "not due again until a day has passed";
}

}  // namespace
}  // namespace millrace
