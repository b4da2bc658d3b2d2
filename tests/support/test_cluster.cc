#include "tests/support/test_cluster.h"

#include <signal.h>

#include <filesystem>
#include <map>
#include <utility>

#include "tests/support/answer.h"
#include "tests/support/state_check.h"

namespace millrace {

TestCluster::TestCluster(std::string binary, int nodes, std::vector<std::string> args)
    : binary_(std::move(binary)),
      prefix_(KafkaBroker::shared().unique_prefix()),
      args_(std::move(args)) {
  for (int i = 0; i < nodes; ++i) add();
}

std::string TestCluster::data(int number) const {
  return (nodes_[static_cast<std::size_t>(number)].folder->path() / "data").string();
}

int TestCluster::add() {
  nodes_.push_back({std::make_unique<TempDir>(), nullptr});
  const int number = size() - 1;
  start(number);
  return number;
}

void TestCluster::start(int number, const std::vector<std::string>& more) {
  auto& node = nodes_[static_cast<std::size_t>(number)];
  node.server.reset();
  std::vector<std::string> args = {"--log",
                                   "kafka",
                                   "--kafka-bootstrap",
                                   KafkaBroker::shared().bootstrap(),
                                   "--kafka-prefix",
                                   prefix_,
                                   "--partitions",
                                   "4",
                                   "--node-id",
                                   "n" + std::to_string(number),
                                   "--memory",
                                   "128MiB"};
  args.insert(args.end(), args_.begin(), args_.end());
  args.insert(args.end(), more.begin(), more.end());
  node.server = std::make_unique<ServerProcess>(ServerProcess::Options{
      .binary = binary_, .data = data(number), .args = std::move(args), .environment = {}});
}

void TestCluster::freeze(int number) { ::kill(node(number).pid(), SIGSTOP); }
void TestCluster::thaw(int number) { ::kill(node(number).pid(), SIGCONT); }

void TestCluster::wipe(int number) {
  std::error_code ignored;
  std::filesystem::remove_all(data(number), ignored);
}

std::string TestCluster::digests_differ() {
  std::map<std::string, std::string> first;
  for (int i = 0; i < size(); ++i) {
    HttpClient http(port(i), std::chrono::seconds(30));
    wait_applied(http);
    std::map<std::string, std::string> here;
    for (const auto& digest : Answer(http.get("/v1/admin/digest"))["digests"].elements()) {
      here[digest["partition"].text()] =
          std::to_string(static_cast<std::int64_t>(digest["offset"].number())) + " " +
          digest["digest"].text();
    }
    if (i == 0) first = here;
    for (const auto& [partition, is] : here) {
      if (first[partition] != is) {
        return "partition " + partition + " is " + is + " on node " + std::to_string(i) + " and " +
               first[partition] + " on node 0";
      }
    }
  }
  return {};
}

}  // namespace millrace
