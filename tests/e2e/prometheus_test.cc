// Debian's own Prometheus scrapes the running server, and promtool has nothing to say against what
// it is given.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr int kEvents = 250;

class Prometheus : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"prometheus", "promtool"}) {
      if (!program_exists(name)) GTEST_SKIP() << "no " << name << ": apt-get install prometheus";
    }
    // Every operation once, so that the metrics of all of them are there.
    HttpClient http(server_.port());
    http.put("/v1/items/video:1", R"({"title":"One","categories":["a"]})",
             {{"Content-Type", "application/json"}});
    std::string body;
    for (int i = 0; i < kEvents; ++i) {
      body += OracleEvent{"e" + std::to_string(i), "u" + std::to_string(i % 10), "video:1", "view"}
                  .json() +
              "\n";
    }
    const auto posted = http.post("/v1/events?wait=applied", body + "no event\n",
                                  {{"Content-Type", "application/x-ndjson"}});
    ASSERT_EQ(Answer(posted)["accepted"].number(), kEvents);
    EXPECT_EQ(http.get("/v1/feed/u1").status, 200);
    EXPECT_EQ(http.get("/v1/lists/popular").status, 200);
    EXPECT_EQ(http.get("/nothing/here").status, 404);
    EXPECT_EQ(http.post("/v1/admin/checkpoint", "").status, 200);
  }

  TempDir directory_;
  ServerProcess server_{{.binary = MILLRACE_BINARY,
                         .data = (directory_.path() / "data").string(),
                         .args = {"--log-level", "warn"},
                         .environment = {}}};
};

TEST_F(Prometheus, PromtoolHasNothingToSay) {
  HttpClient http(server_.port());
  const auto reply = http.get("/metrics");
  ASSERT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.header("content-type").starts_with("text/plain"));
  const auto checked = run_command({"promtool", "check", "metrics"}, {}, reply.body);
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_EQ(checked.out, "");
  EXPECT_EQ(checked.err, "");
}

TEST_F(Prometheus, ScrapesTheServer) {
  const auto config = (directory_.path() / "prometheus.yml").string();
  std::ofstream(config) << "global: {scrape_interval: 1s}\n"
                           "scrape_configs:\n"
                           "  - job_name: millrace\n"
                           "    static_configs: [{targets: ['127.0.0.1:"
                        << server_.port() << "']}]\n";
  const auto port = free_port();
  BackgroundCommand prometheus(
      {"prometheus", "--config.file=" + config,
       "--storage.tsdb.path=" + (directory_.path() / "tsdb").string(),
       "--web.listen-address=127.0.0.1:" + std::to_string(port), "--log.level=warn"},
      (directory_.path() / "prometheus.log").string());

  // What an instant query answers; -1 as long as there is nothing.
  const auto value = [&](const std::string& query) {
    if (!prometheus.alive()) throw std::logic_error(prometheus.output());
    try {
      HttpClient http(port);
      const Answer answer(http.get("/api/v1/query?query=" + query));
      const auto results = answer["data"]["result"].elements();
      return results.size() == 1 ? std::stod(results[0]["value"].elements().at(1).text()) : -1;
    } catch (const std::runtime_error&) {
      return -1.0;  // not listening yet
    }
  };
  const auto minute = std::chrono::seconds(60);
  EXPECT_TRUE(eventually([&] { return value("up%7Bjob=%22millrace%22%7D") == 1; }, minute))
      << prometheus.output();
  EXPECT_TRUE(eventually([&] { return value("sum(events_applied_total)") == kEvents; }, minute))
      << value("sum(events_applied_total)") << "\n"
      << prometheus.output();
  EXPECT_EQ(value("sum(events_accepted_total)"), kEvents);
  EXPECT_EQ(value("sum(events_rejected_total)"), 1);
  EXPECT_EQ(value("log_writable"), 1);
}

// Names of metrics in the expressions of a file: what is followed by a bracket, or ends in a word
// that Prometheus' conventions give such names.
std::set<std::string> metrics_in(const std::filesystem::path& file, const std::string& before) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  static const std::regex name(
      R"(\b[a-z]+(_[a-z0-9]+)*_(total|seconds|bytes|offsets|writable|bucket)\b)");
  std::set<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(before) == std::string::npos) continue;
    for (std::sregex_iterator at(line.begin(), line.end(), name), end; at != end; ++at) {
      found.insert(at->str());
    }
  }
  return found;
}

// A panel or an alert that asks for what no node has would stay silent for ever.
TEST_F(Prometheus, DashboardAndAlertsAskForWhatThereIs) {
  const auto metrics = "\n" + HttpClient(server_.port()).get("/metrics").body;
  const std::filesystem::path docker = MILLRACE_SOURCE_DIR "/docker";
  auto names = metrics_in(docker / "grafana/dashboards/millrace.json", "\"expr\"");
  EXPECT_GT(names.size(), 20u);
  const auto alerts = metrics_in(docker / "prometheus/alerts.yml", "expr:");
  EXPECT_GT(alerts.size(), 5u);
  names.insert(alerts.begin(), alerts.end());
  for (const auto& name : names) {
    const bool only_with_kafka = name.starts_with("kafka_") || name == "rebalances_total";
    if (only_with_kafka && std::getenv("MILLRACE_LOG") == nullptr) continue;
    EXPECT_TRUE(metrics.find("\n" + name + "{") != std::string::npos ||
                metrics.find("\n" + name + " ") != std::string::npos)
        << name << " is not in /metrics";
  }
}

}  // namespace
}  // namespace millrace
