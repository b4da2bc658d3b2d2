// Debian's own Prometheus scrapes the running server, and promtool has nothing to say against what
// it is given.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_cluster.h"

namespace millrace {
namespace {

constexpr int kEvents = 250;
const bool kWithKafka = std::getenv("MILLRACE_LOG") != nullptr;

std::string missing_program() {
  for (const std::string name : {"prometheus", "promtool"}) {
    if (!program_exists(name)) return "no " + name + ": apt-get install prometheus";
  }
  return {};
}

// Every operation once, so that the metrics of all of them are there.
void do_everything_once(std::uint16_t port) {
  HttpClient http(port);
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
  const auto training = http.post("/v1/admin/jobs", R"({"kind":"linear_model"})",
                                  {{"Content-Type", "application/json"}});
  const std::string job = "/v1/admin/jobs/" + Answer(training.body)["id"].text();
  const auto over = [&] { return http.get(job).body.find("\"finished\":\"") != std::string::npos; };
  EXPECT_TRUE(eventually(over, std::chrono::seconds(60))) << http.get(job).body;
}

// Debian's Prometheus, which asks the servers every second and listens at a port.
class Scraper {
 public:
  explicit Scraper(const std::vector<std::uint16_t>& servers) {
    const auto config = (directory_.path() / "prometheus.yml").string();
    std::string targets;
    for (const auto server : servers) {
      targets += (targets.empty() ? "'127.0.0.1:" : ", '127.0.0.1:") + std::to_string(server) + "'";
    }
    std::ofstream(config) << "global: {scrape_interval: 1s}\n"
                             "scrape_configs:\n"
                             "  - job_name: millrace\n"
                             "    static_configs: [{targets: ["
                          << targets << "]}]\n";
    process_.emplace(
        std::vector<std::string>{"prometheus", "--config.file=" + config,
                                 "--storage.tsdb.path=" + (directory_.path() / "tsdb").string(),
                                 "--web.listen-address=127.0.0.1:" + std::to_string(port_),
                                 "--log.level=warn"},
        (directory_.path() / "prometheus.log").string());
  }

  // What an instant query answers, as promtool prints it: a line a series, "LABELS => VALUE @TIME".
  std::string query(const std::string& expression) {
    if (!process_->alive()) throw std::logic_error(process_->output());
    const std::string url = "http://127.0.0.1:" + std::to_string(port_);
    return run_command({"promtool", "query", "instant", url, expression}).out;
  }

  // Of the one series; -1 as long as there is nothing, or more.
  double value(const std::string& expression) {
    const auto printed = query(expression);
    const auto at = printed.find("=> ");
    if (at == std::string::npos || printed.find("=> ", at + 1) != std::string::npos) return -1;
    return std::stod(printed.substr(at + 3));
  }

 private:
  TempDir directory_;
  const std::uint16_t port_ = free_port();
  std::optional<BackgroundCommand> process_;
};

class Prometheus : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = missing_program();
    if (!missing.empty()) GTEST_SKIP() << missing;
    do_everything_once(server_.port());
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
  Scraper prometheus({server_.port()});
  const auto is = [&](const std::string& expression, double wanted) {
    return eventually([&] { return prometheus.value(expression) == wanted; },
                      std::chrono::seconds(60));
  };
  EXPECT_TRUE(is("up{job=\"millrace\"}", 1));
  EXPECT_TRUE(is("sum(events_applied_total)", kEvents));
  EXPECT_EQ(prometheus.value("sum(events_accepted_total)"), kEvents);
  EXPECT_EQ(prometheus.value("sum(events_rejected_total)"), 1);
  EXPECT_EQ(prometheus.value("log_writable"), 1);
}

// Whether an expression asks for what only a node with the other kind of log has.
bool of_other_log(const std::string& expression, bool with_kafka) {
  static const std::regex kafka("kafka_|rebalances_total|staleness_seconds");
  static const std::regex embedded("log_fsync_seconds|log_size_bytes");
  return std::regex_search(expression, with_kafka ? embedded : kafka);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::filesystem::path kDocker = MILLRACE_SOURCE_DIR "/docker";

std::vector<std::filesystem::path> dashboards() {
  using Files = std::filesystem::directory_iterator;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : Files(kDocker / "grafana/dashboards")) found.push_back(entry.path());
  return found;
}

void expect_data_in_every_panel(Scraper& prometheus, bool with_kafka) {
  std::size_t asked = 0;
  for (const auto& file : dashboards()) {
    for (const auto& panel : Answer(text_of(file))["panels"].elements()) {
      for (const auto& target : panel["targets"].elements()) {
        auto expression = replaced(target["expr"].text(), "$node", ".*");
        if (of_other_log(expression, with_kafka)) continue;
        expression = replaced(expression, "$__rate_interval", "30s");
        const auto answered = [&] {
          return prometheus.query(expression).find(" => ") != std::string::npos;
        };
        EXPECT_TRUE(eventually(answered, std::chrono::seconds(30)))
            << file << ": " << panel["title"].text() << ": " << expression;
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 60u);
}

TEST_F(Prometheus, EveryPanelHasData) {
  Scraper prometheus({server_.port()});
  expect_data_in_every_panel(prometheus, kWithKafka);
}

TEST(KafkaDashboards, EveryPanelHasDataOfThreeNodes) {
  const auto missing = KafkaBroker::missing() + missing_program();
  if (!missing.empty()) GTEST_SKIP() << missing;
  TestCluster cluster(MILLRACE_BINARY, 3);
  do_everything_once(cluster.port(0));
  Scraper prometheus({cluster.port(0), cluster.port(1), cluster.port(2)});
  const auto applied = [&] {
    return prometheus.value(
        "count(sum by (instance) (events_applied_total) == " + std::to_string(kEvents) + ")");
  };
  EXPECT_TRUE(eventually([&] { return applied() == 3; }, std::chrono::seconds(60))) << applied();
  expect_data_in_every_panel(prometheus, true);
}

// Names of metrics in the expressions of a file: what is followed by a bracket, or ends in a word
// that Prometheus' conventions give such names.
std::set<std::string> metrics_in(const std::filesystem::path& file, const std::string& before) {
  static const std::regex name(
      R"(\b[a-z]+(_[a-z0-9]+)*_(total|seconds|bytes|offsets|writable|bucket)\b)");
  std::set<std::string> found;
  std::istringstream lines(text_of(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(before) == std::string::npos) continue;
    for (std::sregex_iterator at(line.begin(), line.end(), name), end; at != end; ++at) {
      found.insert(at->str());
    }
  }
  return found;
}

// A panel or an alert that asks for what no node has would stay silent for ever.
TEST_F(Prometheus, DashboardsAndAlertsAskForWhatThereIs) {
  const auto metrics = "\n" + HttpClient(server_.port()).get("/metrics").body;
  std::set<std::string> names;
  for (const auto& file : dashboards()) {
    const auto of_one = metrics_in(file, "\"expr\"");
    EXPECT_GT(of_one.size(), 4u) << file;
    names.insert(of_one.begin(), of_one.end());
  }
  EXPECT_GT(names.size(), 40u);
  const auto alerts = metrics_in(kDocker / "prometheus/alerts.yml", "expr:");
  EXPECT_GT(alerts.size(), 10u);
  names.insert(alerts.begin(), alerts.end());
  for (const auto& name : names) {
    if (of_other_log(name, kWithKafka)) continue;
    EXPECT_TRUE(metrics.find("\n" + name + "{") != std::string::npos ||
                metrics.find("\n" + name + " ") != std::string::npos)
        << name << " is not in /metrics";
  }
}

}  // namespace
}  // namespace millrace
