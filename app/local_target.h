#pragma once
#include <memory>
#include <string>

#include "app/node.h"
#include "app/target.h"

namespace millrace::app {

// The data of a stopped server, opened in this process: the same handlers answer, without a socket.
// Thread-safe; targets may share a node.
class LocalTarget final : public Target {
 public:
  LocalTarget(std::shared_ptr<const Node> node, std::string data)
      : node_(std::move(node)), data_(std::move(data)) {}

  Result<HttpReply> send(const HttpRequest& request) override;
  std::string name() const override { return data_; }

 private:
  const std::shared_ptr<const Node> node_;
  const std::string data_;
};

}  // namespace millrace::app
