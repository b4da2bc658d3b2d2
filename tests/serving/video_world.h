#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/people.h"
#include "tests/support/video_file.h"

namespace millrace {

namespace fs = std::filesystem;

inline const std::string kBase = "/api/v1/shoppable-videos/";
inline constexpr std::size_t kLargest = 20'000;

// A node with two products and people who upload videos of at most kLargest bytes.
class Videos : public ::testing::Test {
 protected:
  explicit Videos(TestNodeOptions options = {}) : node_(limited(std::move(options))) {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
    bob_ = enter(node_, "bob");
    put("product:101", R"("title":"Smart Watch","price":"199.99")");
    put("product:a-b", R"("title":"By name")");
  }
  static TestNodeOptions limited(TestNodeOptions options) {
    options.media.max_file_bytes = kLargest;
    return options;
  }
  void put(const std::string& id, const std::string& members) {
    const auto reply = node_.call("PUT", "/v1/items/" + id, "{" + members + "}", root_.as());
    ASSERT_TRUE(reply.status() == 201 || reply.status() == 200) << reply.body();
  }
  static std::vector<TestPart> good() {
    return {{"title", "One"},
            {"product_id", "101"},
            {"tags", R"(["tech","gadgets"])"},
            {"file", tiny_mp4(), "One.MP4"}};
  }
  static std::vector<TestPart> with(const std::string& name, const std::string& content,
                                    const std::string& file_name = {}) {
    auto parts = good();
    std::erase_if(parts, [&](const auto& part) { return part.name == name; });
    parts.push_back({name, content, file_name});
    return parts;
  }
  TestReply send(const std::string& body, const Person& as, const std::string& key = {},
                 const std::string& type = kFormType) {
    auto headers = as.token.empty() ? TestNode::Headers() : as.as();
    headers.emplace_back("content-type", type);
    headers.emplace_back("content-length", std::to_string(body.size()));
    if (!key.empty()) headers.emplace_back("idempotency-key", key);
    return node_.call("POST", kBase, body, headers);
  }
  TestReply upload(const std::vector<TestPart>& parts) { return send(form_of(parts), ann_); }
  std::string upload_as(const Person& who) { return send(form_of(good()), who).at("id"); }
  TestReply get(const std::string& target, TestNode::Headers headers = {}) {
    return node_.get(target, std::move(headers));
  }
  std::size_t files() { return files_in(node_.media_folder()); }
  ::testing::AssertionResult files_become(std::size_t count) {
    if (eventually([&] { return files() == count; })) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << files() << " files";
  }

  TestNode node_;
  Person root_, ann_, bob_;
  const Person nobody_;
};

}  // namespace millrace
