#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <random>
#include <set>

#include "base/clock.h"
#include "base/metrics.h"
#include "processors/training/jobs.h"
#include "processors/training/kmeans.h"
#include "processors/training/model_file.h"
#include "processors/training/tfidf.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace millrace::processors {
namespace {

void await(const std::function<bool()>& condition) { ASSERT_TRUE(eventually(condition)); }

using Words = std::vector<std::string>;

// Against Python: [w for w in re.findall(r"(?u)\b\w\w+\b", text.lower())].
TEST(Tokens, AreThoseOfPython) {
  EXPECT_EQ(words_of_text("Home & Garden, the 2-in-1 A_b x"),
            (Words{"home", "garden", "the", "in", "a_b"}));
  EXPECT_EQ(words_of_text("ÉCRAN Straße ΟΔΟΣ ΣΑΣ ДЛЯ 日本語"),
            (Words{"écran", "straße", "οδος", "σας", "для", "日本語"}));
  EXPECT_EQ(words_of_text("İstanbul"), (Words{"stanbul"})) << "i and a dot above, no letter";
  EXPECT_EQ(words_of_text("x²y ½ab"), (Words{"x²y", "½ab"}));
  EXPECT_EQ(words_of_text("ab\xff"
                          "cd \xc3"),
            (Words{"ab", "cd"}));
  EXPECT_EQ(words_of_text(""), Words{});
}

TEST(TfIdfTest, WeightsAreRepeats) {
  const Words texts = {"red wine", "white wine", "tools"};
  const std::vector<std::uint32_t> weights = {3, 1, 2};
  const auto model = TfIdf::fit(texts, weights);
  const Words rows = {"red wine", "red wine", "red wine", "white wine", "tools", "tools"};
  const auto plain = TfIdf::fit(rows, std::vector<std::uint32_t>(rows.size(), 1));
  EXPECT_EQ(model.words, (Words{"red", "tools", "white", "wine"}));
  EXPECT_EQ(model.idf, plain.idf);
  EXPECT_DOUBLE_EQ(model.idf[0], std::log(7.0 / 4) + 1);
  const auto row = model.transform("wine wine red unknown");
  EXPECT_EQ(row.columns, (std::vector<std::uint32_t>{0, 3}));
  EXPECT_NEAR(row.values[0] * row.values[0] + row.values[1] * row.values[1], 1, 1e-12);
  EXPECT_DOUBLE_EQ(row.values[1] / row.values[0], 2 * model.idf[3] / model.idf[0]);
  EXPECT_TRUE(model.transform("none of them").columns.empty());
}

SparseRow point(double x, double y) { return {{0, 1}, {x, y}}; }
const auto kNever = [] { return false; };

TEST(KMeansTest, FindsWellSeparatedClusters) {
  std::vector<SparseRow> rows;
  std::vector<std::uint32_t> weights;
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    const double near = static_cast<double>(random() % 100) / 100;
    rows.push_back(point(10 * (i % 4) + near, 10 * (i % 2) - near));
    weights.push_back(1 + i % 3);
  }
  KMeansOptions options;
  options.clusters = 4;
  const auto fit = fit_kmeans(rows, weights, 2, options, kNever);
  ASSERT_TRUE(fit);
  std::set<std::uint32_t> names;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(fit->labels[i], fit->labels[i % 4]);
    EXPECT_EQ(fit->nearest(rows[i]), fit->labels[i]);
    names.insert(fit->labels[i]);
  }
  EXPECT_EQ(names.size(), 4u);
}

TEST(KMeansTest, AWeightIsThatManyRows) {
  std::vector<SparseRow> some, all;
  std::vector<std::uint32_t> weights;
  std::mt19937 random(4);
  for (int i = 0; i < 30; ++i) {
    some.push_back(point(static_cast<double>(random() % 50), static_cast<double>(random() % 50)));
    weights.push_back(1 + random() % 4);
    all.insert(all.end(), weights.back(), some.back());
  }
  KMeansOptions options;
  options.clusters = 3;
  options.starts = 30;
  const auto weighted = fit_kmeans(some, weights, 2, options, kNever);
  const auto repeated =
      fit_kmeans(all, std::vector<std::uint32_t>(all.size(), 1), 2, options, kNever);
  EXPECT_NEAR(weighted->inertia, repeated->inertia, 1e-6 * repeated->inertia);
}

TEST(KMeansTest, FewRowsAndNoneAreTaken) {
  const std::vector<SparseRow> rows = {point(1, 0), point(1, 0), point(0, 1)};
  const std::vector<std::uint32_t> weights = {1, 1, 1};
  const auto fit = fit_kmeans(rows, weights, 2, {}, kNever);
  EXPECT_EQ(fit->clusters, 2u);
  EXPECT_NEAR(fit->inertia, 0, 1e-12);
  EXPECT_EQ(fit_kmeans({}, {}, 0, {}, kNever)->clusters, 0u);
  EXPECT_FALSE(fit_kmeans(rows, weights, 2, {}, [] { return true; })) << "cancelled";
}

TEST(ModelFileTest, EveryDamagedByteIsNoticed) {
  const TempDir folder;
  ModelFile file{std::string(kCategoryModelName), {}, std::string("\x00\x01 model \n", 10)};
  file.position.include(kCatalogPartition, 41);
  ASSERT_TRUE(write_model(folder.path(), file));
  const auto path = std::filesystem::path(folder.path()) / file.name;
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto read = read_model(folder.path(), file.name);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->model, file.model);
  EXPECT_EQ(read->position, file.position);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    std::ofstream(path, std::ios::binary) << damaged;
    const auto refused = read_model(folder.path(), file.name);
    ASSERT_FALSE(refused) << "byte " << i;
    EXPECT_EQ(refused.error().code, Code::kCorrupt);
  }
  EXPECT_EQ(read_model(folder.path(), kNeighbourModelName).error().code, Code::kNotFound);
}

class JobsTest : public ::testing::Test {
 protected:
  // Work that runs until it is let go or cancelled.
  Jobs::Work held() {
    return [this](JobControl& control) -> Result<std::string> {
      control.progress(0.5);
      running_ = true;
      await([&] { return let_go_ || control.cancelled(); });
      if (control.cancelled()) return fail(Code::kUnavailable, "cancelled");
      return std::string("{}");
    };
  }
  JobState state(const std::string& id) { return jobs_.find(id)->state; }

  ManualClock clock_{1'790'000'000'000};
  Metrics metrics_;
  std::atomic<bool> let_go_{false}, running_{false};
  Jobs jobs_{clock_, metrics_};
};

TEST_F(JobsTest, OneRunsAtATimeAndOneOfAKindWaits) {
  const auto first = jobs_.submit("a", held());
  await([&] { return running_.load(); });
  EXPECT_EQ(jobs_.submit("a", held())->id, first->id) << "the one that runs";
  const auto second = jobs_.submit("b", held());
  EXPECT_EQ(state(second->id), JobState::kWaiting);
  EXPECT_EQ(jobs_.find(first->id)->progress, 0.5);
  let_go_ = true;
  await([&] { return state(second->id) == JobState::kDone; });
  EXPECT_EQ(jobs_.find(first->id)->result, "{}");
  EXPECT_NE(jobs_.submit("a", held())->id, first->id);
}

TEST_F(JobsTest, CancellingEndsWhatRunsAndWhatWaits) {
  const auto first = jobs_.submit("a", held());
  await([&] { return running_.load(); });
  std::promise<JobState> told;
  const auto second =
      jobs_.submit("b", held(), [&told](const Job& job) { told.set_value(job.state); });
  EXPECT_EQ(jobs_.cancel(second->id)->state, JobState::kCancelled);
  EXPECT_EQ(told.get_future().get(), JobState::kCancelled);
  EXPECT_TRUE(jobs_.cancel(first->id));
  await([&] { return state(first->id) == JobState::kCancelled; });
  EXPECT_EQ(jobs_.cancel(first->id).error().code, Code::kConflict);
  EXPECT_EQ(jobs_.cancel("none").error().code, Code::kNotFound);
}

TEST_F(JobsTest, AFailureSaysWhy) {
  const auto job = jobs_.submit(
      "a", [](JobControl&) -> Result<std::string> { return fail(Code::kIo, "the disk is full"); });
  await([&] { return state(job->id) == JobState::kFailed; });
  EXPECT_EQ(jobs_.find(job->id)->error, "the disk is full");
}

TEST_F(JobsTest, OnlySoManyWaitAndSoManyAreRemembered) {
  jobs_.submit("first", held());
  for (std::size_t i = 1; i < Jobs::kMaxWaiting; ++i) {
    ASSERT_TRUE(jobs_.submit("w" + std::to_string(i), held()));
  }
  EXPECT_EQ(jobs_.submit("more", held()).error().code, Code::kExhausted);
  let_go_ = true;
  for (std::size_t i = 0; i < Jobs::kMaxKept + 20; ++i) {
    await([&] { return jobs_.list().front().over(); });
    ASSERT_TRUE(jobs_.submit("k" + std::to_string(i), held()));
  }
  EXPECT_LE(jobs_.list().size(), Jobs::kMaxKept);
}

}  // namespace
}  // namespace millrace::processors
