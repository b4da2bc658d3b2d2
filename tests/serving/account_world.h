#pragma once
#include <gtest/gtest.h>

#include <string>

#include "schemas/json_writer.h"
#include "tests/support/people.h"

namespace millrace {

inline constexpr const char* kPassword = "a long sentence";

inline TestNode::Headers bearer(const std::string& token) {
  return {{"authorization", "Bearer " + token}};
}

// A node on which one admin exists, so that nothing is open to everybody any more.
class AccountWorld : public ::testing::Test {
 protected:
  AccountWorld() { admin_ = enter(node_, "root", Role::kAdmin); }

  static std::string sign_up_body(const std::string& name, const std::string& role = {},
                                  const std::string& password = kPassword) {
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    out.member("username", name);
    out.member("email", name + "@example.org");
    out.member("password", password);
    if (!role.empty()) out.member("role", role);
    out.end_object();
    return body;
  }
  TestReply log_in(const std::string& name, const std::string& password = kPassword) {
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    out.member("username", name);
    out.member("password", password);
    out.end_object();
    return node_.call("POST", "/api/token/", body);
  }
  Person person(const std::string& name) { return enter(node_, name); }
  Person with_password(const std::string& name) { return sign_up(node_, name); }
  std::string key(const std::string& scope) {
    const auto made = node_.call("POST", "/v1/admin/keys",
                                 R"({"name":"k","scopes":[")" + scope + "\"]}", admin_.as());
    EXPECT_EQ(made.status(), 201) << made.body();
    return made.at("key");
  }

  TestNode node_;
  Person admin_;
};

}  // namespace millrace
