// POST to visible through a real Kafka broker at 1,000 events/s, open loop: a read by position
// behind each POST, on the same node and on another. As freshness.py does with the embedded log.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "schemas/json_value.h"
#include "tests/support/command.h"
#include "tests/support/http_client.h"
#include "tests/support/test_cluster.h"

namespace {

using namespace millrace;

constexpr int kRate = 1'000, kUsers = 5'000, kItems = 10'000, kConnections = 64;
constexpr double kP50Ms = 15, kP99Ms = 60;

void put_items(TestCluster& cluster) {
  HttpClient http(cluster.port(0), std::chrono::seconds(60));
  for (int first = 0; first < kItems; first += 2'000) {
    std::string body = "[";
    for (int i = first; i < first + 2'000; ++i) {
      body += (i > first ? R"(,{"id":"video:)" : R"({"id":"video:)") + std::to_string(i) +
              R"(","kind":"video","title":"Video"})";
    }
    const auto reply = http.post("/v1/items", body + "]", {{"Content-Type", "application/json"}});
    if (reply.status != 200) throw std::runtime_error(reply.body);
  }
}

struct Tail {
  double p50 = 0, p99 = 0;
};

Tail measure(const std::string& client, std::vector<std::string> args) {
  args.insert(args.begin(), client);
  const auto run = run_command(args);
  std::printf("%s", run.out.c_str());
  const auto json = parse_json(run.out);
  if (run.exit_code != 0 || !json || json->find("failed")->text != "0" ||
      json->find("answered")->text != json->find("scheduled")->text) {
    throw std::runtime_error("a read did not show what was posted before it: " + run.err);
  }
  return {std::stod(json->find("p50_ms")->text), std::stod(json->find("p99_ms")->text)};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void bar(const char* where, const char* part, double wanted, double is) {
  std::printf("BAR\tPOST to visible %s at %d/s, Kafka, %s\t< %.0f ms\t%.1f ms\t%s\n", part, kRate,
              where, wanted, is, is < wanted ? "met" : "MISSED");
}

}  // namespace

int main(int, char** argv) {
  if (const auto missing = KafkaBroker::missing(); !missing.empty()) {
    std::printf("BAR\tPOST to visible, Kafka\t< %.0f ms\tnot measured: %s\t-\n", kP99Ms,
                missing.c_str());
    return 0;
  }
  const bool quick = std::getenv("MILLRACE_BENCH_QUICK") != nullptr;
  const auto client =
      (std::filesystem::path(argv[0]).parent_path() / "tools" / "open_loop").string();
  TestCluster cluster(MILLRACE_BINARY, 2);
  put_items(cluster);
  const std::array<const char*, 2> places = {"same node", "another node"};
  for (std::size_t place = 0; place < places.size(); ++place) {
    std::vector<double> p50, p99;
    for (int round = 0; round < (quick ? 1 : 3); ++round) {
      std::vector<std::string> args = {"fresh",
                                       std::to_string(cluster.port(0)),
                                       std::to_string(kRate),
                                       quick ? "2" : "5",
                                       std::to_string(kConnections),
                                       std::to_string(kUsers),
                                       std::to_string(kItems)};
      if (place == 1) args.push_back(std::to_string(cluster.port(1)));
      const auto tail = measure(client, std::move(args));
      p50.push_back(tail.p50);
      p99.push_back(tail.p99);
    }
    bar(places[place], "p50", kP50Ms, median(p50));
    bar(places[place], "p99", kP99Ms, median(p99));
  }
}
