// One server at several addresses, each with its own surfaces.
#include <gtest/gtest.h>

#include <set>

#include "serving/http/server.h"
#include "serving/surfaces/list.h"
#include "tests/serving/test_server.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

Route says(const std::string& pattern, const std::string& text, const std::string& surface) {
  return {"GET", pattern, Policy::kPublic,
          [text](const Request&) -> Answer { return text_reply(text); }, surface};
}

TEST(ServerAddresses, EachAnswersWhatItServesAndTheyShareTheLimits) {
  ServerOptions options;
  options.threads = 1;
  options.max_connections = 2;
  options.further = {{"127.0.0.1", 0, {says("/b", "further b", "b")}},
                     {"127.0.0.1", 0, {says("/b", "last b", "b"), says("/c", "last c", "c")}}};
  TestServer server(options);
  const auto further = server.server->further_port(0);
  const auto last = server.server->further_port(1);
  EXPECT_EQ((std::set<std::uint16_t>{server.port(), further, last}).size(), 3u);
  {
    HttpClient main(server.port()), second(further);
    EXPECT_EQ(main.get("/hello").body, "hello");
    EXPECT_EQ(main.get("/b").status, 404);
    EXPECT_EQ(second.get("/b").body, "further b");
    EXPECT_EQ(second.get("/hello").status, 404);
    EXPECT_EQ(HttpClient(last).get("/c").status, 503) << "three connections";
  }
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
  HttpClient third(last);
  EXPECT_EQ(third.get("/b").body, "last b");
  EXPECT_EQ(third.get("/c").body, "last c");
  EXPECT_EQ(server.metric("http_requests_total{code=\"200\",route=\"/b\"}"), 2);
  EXPECT_EQ(server.metric("http_requests_total{code=\"200\",route=\"/c\"}"), 1);
}

TEST(ServerAddresses, AnAddressThatIsTakenIsRefused) {
  TestServer first;
  Metrics metrics;
  ManualClock clock{0};
  ServerOptions options;
  options.further = {{"127.0.0.1", first.port(), {}}};
  const auto second = Server::start(options, Router({}), metrics, clock);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST(Surfaces, AreKnownByTheirNames) {
  Metrics metrics;
  Deps deps;
  deps.metrics = &metrics;
  const auto all = all_routes(deps);
  EXPECT_EQ(only(all, {}).size(), all.size());
  std::set<std::string> patterns;
  for (const auto& route : only(all, {"store"})) patterns.insert(route.pattern);
  EXPECT_TRUE(patterns.contains("/api/v1/store/products/{id}/"));
  EXPECT_TRUE(patterns.contains("/health/"));
  EXPECT_FALSE(patterns.contains("/v1/events"));
  EXPECT_FALSE(patterns.contains("/api/movies/"));
  for (const char* name :
       {"v1", "accounts", "movies", "shoppable", "store", "interactions", "docs", "console"}) {
    EXPECT_TRUE(is_surface(name)) << name;
    EXPECT_NE(surface_names().find(name), std::string::npos) << name;
  }
  EXPECT_FALSE(is_surface("meta"));
  EXPECT_FALSE(is_surface(""));
}

}  // namespace
}  // namespace millrace::serving
