#pragma once
#include <gtest/gtest.h>

#include <string>

#include "tests/support/people.h"

namespace millrace {

inline constexpr const char* kTrack = "/interactions/track";

// Ann tracks; Bob is somebody else, root an admin.
class Interactions : public ::testing::Test {
 protected:
  Interactions() {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
    bob_ = enter(node_, "bob");
  }
  TestReply track(const std::string& members, const Person& as) {
    return node_.call("POST", kTrack, "{" + members + "}",
                      as.token.empty() ? TestNode::Headers() : as.as());
  }
  // Of content "c<n>", so that each is a row of its own; a second apart.
  void track_some(const std::string& type, int count, const std::string& more = {}) {
    for (int i = 0; i < count; ++i) {
      const auto id = "c" + std::to_string(next_++);
      const auto reply = track(R"("contentId":")" + id + R"(","interactionType":")" + type + "\"" +
                                   (more.empty() ? "" : "," + more),
                               ann_);
      ASSERT_EQ(reply.status(), 201) << reply.body();
      node_.clock().advance(1'000);
    }
  }
  TestReply get(const std::string& what, const std::string& query, const Person& as) {
    return node_.get("/interactions/" + what + "/" + ann_.id + query,
                     as.token.empty() ? TestNode::Headers() : as.as());
  }

  TestNode node_;
  Person root_, ann_, bob_;
  const Person nobody_;
  int next_ = 1;
};

}  // namespace millrace
