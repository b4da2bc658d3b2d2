#pragma once
#include <string>

#include "schemas/account.h"
#include "tests/support/test_node.h"

namespace millrace {

// Someone with an account on a test node.
struct Person {
  std::string id;
  std::string token;
  TestNode::Headers as() const { return {{"authorization", "Bearer " + token}}; }
};

// Signs up over HTTP with the password "a long sentence", and logs in; throws when either fails.
// Both take the time that a password's hash does.
Person sign_up(TestNode& node, const std::string& name);

// An account with a token and without a password, straight into the catalog.
Person enter(TestNode& node, const std::string& name, Role role = Role::kUser);
Person enter(ingest::EventLog& log, processors::Engine& engine, const std::string& name,
             Role role = Role::kUser);

}  // namespace millrace
