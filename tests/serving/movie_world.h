#pragma once
#include <gtest/gtest.h>

#include <string>

#include "tests/support/people.h"

namespace millrace {

// A node with an admin, two people, and a few movies with genres.
class MovieWorld : public ::testing::Test {
 protected:
  MovieWorld() {
    admin = enter(node, "root", Role::kAdmin);
    ann = enter(node, "ann");
    bob = enter(node, "bob");
    add("Heat", R"("genres":["Crime","Drama"],"release_year":1995,"description":"Los Angeles.")");
    add("Amélie", R"("genres":["Comedy"],"release_year":2001)");
    add("Toy Story", R"("genres":["Animation","Comedy"],"release_year":1995)");
    add("Toy Story 2", R"("genres":["Animation"],"release_year":1999)");
  }
  // Ids 1, 2, … in that order.
  void add(const std::string& title, const std::string& members = R"("genres":[])") {
    const auto id = "movie:" + std::to_string(++movies);
    const auto reply = node.call("PUT", "/v1/items/" + id,
                                 R"({"title":")" + title + "\"," + members + "}", admin.as());
    ASSERT_EQ(reply.status(), 201) << reply.body();
  }
  TestReply post(const std::string& path, const std::string& body, const Person& as) {
    return node.call("POST", path, body, as.token.empty() ? TestNode::Headers() : as.as());
  }
  TestReply send(const std::string& method, const std::string& path, const std::string& body,
                 const Person& as) {
    return node.call(method, path, body, as.token.empty() ? TestNode::Headers() : as.as());
  }
  TestReply get(const std::string& path, const Person& as = {}) {
    return node.call("GET", path, {}, as.token.empty() ? TestNode::Headers() : as.as());
  }
  // Answers with the rating's id.
  std::string rate(const Person& who, int movie, int stars, const std::string& review = {}) {
    const auto reply =
        post("/api/movies/" + std::to_string(movie) + "/rate/",
             R"({"rating":)" + std::to_string(stars) + R"(,"review":")" + review + "\"}", who);
    EXPECT_TRUE(reply.status() == 200 || reply.status() == 201) << reply.body();
    return reply.at("id");
  }

  TestNode node;
  Person admin, ann, bob;
  const Person nobody;
  int movies = 0;
};

}  // namespace millrace
