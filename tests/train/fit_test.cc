#include "train/fit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/temp_dir.h"
#include "train/net.h"

namespace millrace::train {
namespace {

// People who go through items in a circle, each from a place of their own: what comes next is sure.
Sequences circle(std::uint32_t items, std::uint32_t people) {
  Sequences data;
  for (std::uint32_t i = 0; i < items; ++i) {
    data.items.push_back("video:" + std::to_string(i));
    data.genres.push_back({i % 3});
  }
  data.genre_count = 3;
  for (std::uint32_t p = 0; p < people; ++p) {
    auto& person = data.people.emplace_back();
    person.name = "u" + std::to_string(p);
    for (std::uint32_t k = 0; k < 4 + p % 9; ++k) person.liked.push_back((p * 7 + k) % items);
  }
  data.position.include({Topic::kInteractions, 0}, 5);
  return data;
}

Sequences noise(std::uint32_t items, std::uint32_t people) {
  auto data = circle(items, people);
  std::mt19937 random(1);
  for (auto& person : data.people) {
    for (auto& row : person.liked) row = static_cast<std::uint32_t>(random() % items);
  }
  return data;
}

FitOptions small() {
  FitOptions options;
  options.deep.embedding_dim = 16;
  options.deep.learning_rate = 0.01;
  options.deep.epochs = 6;
  options.length = 6;
  options.dropout = 0.1;
  options.batch = 8;
  return options;
}

FitEvents silent() {
  return {[](const Epoch&) {}, [](const std::string&) {}, [] { return false; }};
}

TEST(Fit, LearnsWhatIsThere) {
  const auto data = circle(20, 80);
  auto options = small();
  options.deep.epochs = 30;
  const auto model = fit(data, options, silent());
  ASSERT_TRUE(model) << model.error().detail;
  EXPECT_GT(model->record.ndcg, 0.9);
  EXPECT_EQ(model->position, data.position);
  EXPECT_EQ(model->ids, data.items);
  options.candidates = 12;  // a sample stands for all
  const auto sampled = fit(data, options, silent());
  ASSERT_TRUE(sampled) << sampled.error().detail;
  EXPECT_GT(sampled->record.ndcg, 0.8);
}

TEST(Fit, TheSameSeedMakesTheSameModelAndAnotherOneAnother) {
  const auto data = circle(20, 40);
  auto options = small();
  const auto once = fit(data, options, silent()), again = fit(data, options, silent());
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->encode().checksum(), again->encode().checksum());
  options.deep.seed = 2;
  const auto other = fit(data, options, silent());
  ASSERT_TRUE(other);
  EXPECT_NE(once->encode().checksum(), other->encode().checksum());
}

TEST(Fit, GoesOnWhereItWasStoppedAndEndsTheSame) {
  const auto data = circle(20, 40);
  auto options = small();
  const auto whole = fit(data, options, silent());
  ASSERT_TRUE(whole);
  const TempDir folder;
  options.state_file = folder.path() / "state";
  std::vector<std::uint32_t> epochs;
  auto events = silent();
  events.epoch = [&](const Epoch& epoch) { epochs.push_back(epoch.number); };
  events.stopped = [&] { return epochs.size() == 3; };
  const auto stopped = fit(data, options, events);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kUnavailable);
  events.stopped = [] { return false; };
  const auto resumed = fit(data, options, events);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(epochs, (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(resumed->encode().checksum(), whole->encode().checksum());
}

TEST(Fit, AStateOfOtherDataOrADamagedOneIsBegunAnew) {
  const TempDir folder;
  auto options = small();
  options.deep.epochs = 2;
  options.state_file = folder.path() / "state";
  std::uint32_t epochs = 0;
  auto events = silent();
  events.epoch = [&](const Epoch&) { ++epochs; };
  ASSERT_TRUE(fit(circle(20, 40), options, events));
  ASSERT_TRUE(fit(circle(20, 40), options, events));
  EXPECT_EQ(epochs, 2u) << "all of it was there";
  ASSERT_TRUE(fit(circle(20, 41), options, events));
  EXPECT_EQ(epochs, 4u);
  const auto size = std::filesystem::file_size(options.state_file);
  std::filesystem::resize_file(options.state_file, size / 2);
  ASSERT_TRUE(fit(circle(20, 41), options, events));
  EXPECT_EQ(epochs, 6u);
}

TEST(Fit, EndsEarlyWhenItGetsNoBetter) {
  auto options = small();
  options.deep.epochs = 500;
  options.patience = 3;
  std::uint32_t last = 0;
  auto events = silent();
  events.epoch = [&](const Epoch& epoch) { last = epoch.number; };
  const auto model = fit(noise(40, 60), options, events);
  ASSERT_TRUE(model);
  EXPECT_LT(last, 100u);
  EXPECT_EQ(model->record.epoch + 3, last);
}

TEST(Fit, NeedsSomethingToLearnFrom) {
  const auto nothing = fit(circle(20, 1), small(), silent());
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kInvalid);
}

TEST(NetTest, TheExportedModelForetellsWhatTheNetworkDoes) {
  NetShape shape;
  shape.items = 50;
  shape.dim = 24;
  shape.heads = 3;
  shape.hidden = 32;
  shape.blocks = 2;
  shape.length = 10;
  torch::manual_seed(4);
  Net net(shape, torch::eye(50, 6));
  const torch::NoGradGuard guard;
  for (auto& parameter : net.parameters()) parameter.add_(torch::randn_like(parameter) * 0.1);
  net.eval();
  auto model = net.export_model();
  model.ids.resize(50);
  std::mt19937 random(2);
  for (std::size_t n = 1; n <= 10; ++n) {
    std::vector<std::uint32_t> rows;
    std::vector<std::int64_t> same;
    for (std::size_t i = 0; i < n; ++i) same.push_back(rows.emplace_back(random() % 50));
    const auto vectors = net.item_vectors();
    const auto points = net.represent(vectors, torch::tensor(same).unsqueeze(0));
    const auto logits = vectors.mv(points[0][static_cast<std::int64_t>(n) - 1]) + net.item_bias;
    const auto ours = model.logits(model.represent(rows));
    for (std::int64_t i = 0; i < 50; ++i) {
      EXPECT_NEAR(ours[static_cast<std::size_t>(i)], logits[i].item<float>(), 1e-4);
    }
  }
}

}  // namespace
}  // namespace millrace::train
