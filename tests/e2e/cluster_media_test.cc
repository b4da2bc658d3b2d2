// Videos of several built servers on one real broker.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "tests/support/answer.h"
#include "tests/support/eventually.h"
#include "tests/support/test_cluster.h"
#include "tests/support/video_file.h"

namespace millrace {
namespace {

constexpr std::chrono::seconds kPatience{30};

class KafkaMedia : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  static HttpClient client(TestCluster& cluster, int node) {
    return HttpClient(cluster.port(node), kPatience);
  }
  static std::size_t files(TestCluster& cluster, int node, std::string_view ending = ".mp4") {
    return files_in(cluster.data(node) + "/media", ending);
  }
};

TEST_F(KafkaMedia, WhatOneNodeTookAllNodesHave) {
  TestCluster cluster(MILLRACE_BINARY, 2);
  auto first = client(cluster, 0), second = client(cluster, 1);
  ASSERT_EQ(first
                .put("/v1/items/product:1", R"({"title":"A watch"})",
                     {{"Content-Type", "application/json"}})
                .status,
            201);
  const auto video = mp4_of(6'000'000);  // more than one part
  const auto made =
      second.post("/api/v1/shoppable-videos/",
                  form_of({{"title", "One"}, {"product_id", "1"}, {"file", video, "one.mp4"}}),
                  {{"Content-Type", kFormType}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto path = "/media/videos/" +
                    std::to_string(static_cast<int>(Answer(made.body)["id"].number())) + ".mp4";
  // The first may not have heard of the second yet.
  ASSERT_TRUE(eventually([&] { return first.get(path).status == 200; }, kPatience));
  EXPECT_TRUE(first.get(path).body == video);
  EXPECT_EQ(files(cluster, 0), 1u);

  cluster.kill(1);
  const int third = cluster.add();
  EXPECT_TRUE(eventually([&] { return files(cluster, third) == 1; }, kPatience))
      << "from one that has a copy";
  EXPECT_TRUE(client(cluster, third).get(path).body == video);

  EXPECT_EQ(client(cluster, third).del("/v1/items/product:1").status, 204);
  EXPECT_TRUE(eventually([&] { return files(cluster, 0, "") + files(cluster, third, "") == 0; },
                         kPatience));
  EXPECT_EQ(first.get(path).status, 404);
  cluster.start(1);
  EXPECT_EQ(files(cluster, 1), 0u) << "deleted while it was away";
}

}  // namespace
}  // namespace millrace
