#pragma once
#include <gtest/gtest.h>

#include <string>

#include "schemas/json_writer.h"
#include "tests/support/people.h"

namespace millrace {

// A node with an admin, two people who may have stores, and a third.
class StoreWorld : public ::testing::Test {
 protected:
  StoreWorld() {
    admin = enter(node, "root", Role::kAdmin);
    ann = enter(node, "ann");
    bob = enter(node, "bob");
    cid = enter(node, "cid");
  }
  TestReply send(const std::string& method, const std::string& path, const std::string& body,
                 const Person& as) {
    return node.call(method, "/api/v1/store/" + path, body,
                     as.token.empty() ? TestNode::Headers() : as.as());
  }
  TestReply get(const std::string& path, const Person& as) { return send("GET", path, {}, as); }
  // Answers with its id.
  std::string open_store(const std::string& name, const Person& as) {
    const auto made = send("POST", "", R"({"name":")" + name + "\"}", as);
    EXPECT_EQ(made.status(), 201) << made.body();
    return made.at("id");
  }
  static std::string product(const std::string& name, const std::string& more = {}) {
    return R"({"name":")" + name +
           R"(","description":"Bright.","price":"10.00","quantity":3,"category":"Light")" + more +
           "}";
  }
  std::string add(const std::string& name, const Person& as, const std::string& more = {}) {
    const auto made = send("POST", "products/", product(name, more), as);
    EXPECT_EQ(made.status(), 201) << made.body();
    return made.at("id");
  }
  // The ids of a bare array.
  static std::string ids(const TestReply& reply) {
    std::string out;
    for (const auto& one : reply.json.elements) {
      const Json* id = one.find("id");
      out += (out.empty() ? "" : " ") + (id == nullptr ? "?" : id->text);
    }
    return out;
  }
  static std::string detail(const std::string& text) { return R"({"detail":")" + text + "\"}"; }

  TestNode node;
  Person admin, ann, bob, cid;
  const Person nobody;
};

}  // namespace millrace
