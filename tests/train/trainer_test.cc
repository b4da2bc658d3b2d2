// The server's side of deep_learning, with the real program.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "processors/training/sequence_model.h"
#include "tests/support/eventually.h"
#include "tests/support/test_node.h"

namespace millrace::processors {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLong{120};  // libtorch starts slowly on a busy machine

TestNodeOptions with_program(const std::string& program) {
  TestNodeOptions options;
  options.training.train_program = program;
  return options;
}

void populate(TestNode& node) {
  for (int i = 0; i < 12; ++i) {
    node.put("video:" + std::to_string(i), R"("categories":["Drama"])");
  }
  for (int u = 0; u < 12; ++u) {
    for (int k = 0; k < 5; ++k) {
      node.event("like", "u" + std::to_string(u), "video:" + std::to_string((u + k) % 12));
    }
  }
}

Job over(TestNode& node, const std::string& id) {
  EXPECT_TRUE(eventually([&] { return node.jobs().find(id)->over(); }, kLong));
  return *node.jobs().find(id);
}

std::string algorithm(TestNode& node) {
  return node.get("/v1/recommendations/u3?algorithm=deep_learning&limit=3").at("algorithm");
}

TEST(TrainerProgram, TrainsServesAndFindsTheModelAgain) {
  TestNode node(with_program(MILLRACE_TRAIN_BINARY));
  populate(node);
  EXPECT_NE(algorithm(node), "deep_learning") << "not trained";
  DeepOptions deep;
  deep.embedding_dim = 16;
  deep.epochs = 3;
  const auto job = node.trainer().train(ModelKind::kDeepLearning, {}, deep);
  ASSERT_TRUE(job) << job.error().detail;
  const auto done = over(node, job->id);
  ASSERT_EQ(done.state, JobState::kDone) << done.error;
  EXPECT_NE(done.result.find(R"("items":12)"), std::string::npos) << done.result;
  EXPECT_NE(done.result.find(R"("epochs":3)"), std::string::npos) << done.result;
  EXPECT_EQ(algorithm(node), "deep_learning");
  EXPECT_FALSE(fs::exists(node.models_folder() + "/training"));
  const auto read = node.engine().read("u3");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->deep_learning->dim, 16u);
  EXPECT_FALSE(read->deep_learning->position.empty());
  node.restart();
  EXPECT_EQ(algorithm(node), "deep_learning") << "from its file";
}

TEST(TrainerProgram, ACancelledOneLeavesTheModelThatThereWas) {
  TestNode node(with_program(MILLRACE_TRAIN_BINARY));
  populate(node);
  DeepOptions deep;
  deep.epochs = 10'000;
  const auto job = node.trainer().train(ModelKind::kDeepLearning, {}, deep);
  ASSERT_TRUE(job);
  ASSERT_TRUE(eventually([&] { return node.jobs().find(job->id)->progress > 0; }, kLong));
  ASSERT_TRUE(node.jobs().cancel(job->id));
  EXPECT_EQ(over(node, job->id).state, JobState::kCancelled);
  EXPECT_NE(algorithm(node), "deep_learning");
  EXPECT_FALSE(fs::exists(node.models_folder() + "/training"));
}

TEST(TrainerProgram, SaysWhatWentWrong) {
  TestNode node(with_program("/nowhere/millrace-train"));
  populate(node);
  auto job = node.trainer().train(ModelKind::kDeepLearning);
  ASSERT_TRUE(job);
  auto done = over(node, job->id);
  EXPECT_EQ(done.state, JobState::kFailed);
  EXPECT_EQ(done.error, "there is no program /nowhere/millrace-train to run");
  DeepOptions deep;
  deep.embedding_dim = 7;
  const auto refused = node.trainer().train(ModelKind::kDeepLearning, {}, deep);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "embedding_dim");
}

TEST(TrainerProgram, NothingToLearnFromIsSaid) {
  TestNode node(with_program(MILLRACE_TRAIN_BINARY));
  const auto job = node.trainer().train(ModelKind::kDeepLearning);
  ASSERT_TRUE(job);
  const auto done = over(node, job->id);
  EXPECT_EQ(done.state, JobState::kFailed);
  EXPECT_NE(done.error.find("two people"), std::string::npos) << done.error;
}

TEST(TrainerProgram, ADamagedModelIsRefused) {
  TestNode node(with_program("/nowhere/millrace-train"));
  populate(node);
  fs::create_directories(node.models_folder());
  std::ofstream(node.models_folder() + "/deep_learning")
      << "millrace-model 1 deep_learning - 0 3\nabc";
  node.restart();
  EXPECT_NE(algorithm(node), "deep_learning");
  const auto& refused = node.metrics().counter(
      "models_refused_total", "Model files that were found damaged.", {{"model", "deep_learning"}});
  EXPECT_EQ(refused.value(), 1);
}

}  // namespace
}  // namespace millrace::processors
