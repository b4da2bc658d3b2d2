#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {

// Several built servers on one broker, with topics of their own, and what may happen to them. One
// thread; clients may be of any.
class TestCluster {
 public:
  TestCluster(std::string binary, int nodes, std::vector<std::string> args = {});

  int size() const { return static_cast<int>(nodes_.size()); }
  const std::string& prefix() const { return prefix_; }
  ServerProcess& node(int number) { return *nodes_[static_cast<std::size_t>(number)].server; }
  std::uint16_t port(int number) { return node(number).port(); }
  std::string data(int number) const;

  // What is there already is ended; `more` arguments for this time.
  void start(int number, const std::vector<std::string>& more = {});
  int add();  // one more, with an empty folder; its number
  void kill(int number) { node(number).kill_now(); }
  int leave(int number) { return node(number).terminate(); }  // its exit code
  void freeze(int number);
  void thaw(int number);
  void wipe(int number);  // its folder; it does not run

  // Every node's digests at one offset each, as text: equal on all of them, or a reason why not.
  // Nothing may be written meanwhile.
  std::string digests_differ();

 private:
  struct Node {
    std::unique_ptr<TempDir> folder;
    std::unique_ptr<ServerProcess> server;
  };
  std::string binary_;
  std::string prefix_;
  std::vector<std::string> args_;
  std::vector<Node> nodes_;
};

}  // namespace millrace
