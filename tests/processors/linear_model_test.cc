#include "processors/training/linear_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "processors/rankers/linear.h"
#include "processors/views/positives.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_node.h"

namespace millrace::processors {
namespace {

using Sequences = std::map<std::string, std::vector<std::string>>;  // positives, oldest first

// The direct one, from what was sent.
std::map<std::pair<std::string, std::string>, std::int64_t> direct_gram(const Sequences& people,
                                                                        double decay) {
  std::map<std::pair<std::string, std::string>, std::int64_t> sums;
  for (const auto& [user, items] : people) {
    for (std::size_t a = 0; a < items.size(); ++a) {
      for (std::size_t b = 0; b < items.size(); ++b) {
        const double distance = std::abs(static_cast<double>(a) - static_cast<double>(b));
        const double weight = decay > 0 ? std::exp(-distance / decay) : 1;
        const auto whole = static_cast<std::int64_t>(std::round(256 * weight));
        if (whole != 0) sums[{items[a], items[b]}] += whole;
      }
    }
  }
  return sums;
}

void expect_equal(const ItemGram& gram, const state::NameTable& names, const Sequences& people,
                  double decay) {
  auto sums = direct_gram(people, decay);
  for (std::size_t i = 0; i < gram.size(); ++i) {
    for (std::size_t j = 0; j < gram.size(); ++j) {
      const std::pair key{std::string(names.name(gram.items()[i])),
                          std::string(names.name(gram.items()[j]))};
      const auto found = sums.find(key);
      EXPECT_EQ(gram.sum(i, j), found == sums.end() ? 0 : found->second)
          << key.first << " " << key.second;
      if (found != sums.end()) sums.erase(found);
    }
  }
  EXPECT_TRUE(sums.empty()) << "the direct one has more";
}

class LinearFromPages : public ::testing::Test {
 protected:
  // 80 people rate up to 60 of 70 films; some rate one twice, and change their minds.
  void SetUp() override {
    std::mt19937 random(3);
    for (int i = 0; i < 70; ++i) node.put("movie:" + std::to_string(i));
    for (int u = 1; u <= 80; ++u) {
      const auto user = "u" + std::to_string(u);
      std::vector<int> films(70);
      for (int i = 0; i < 70; ++i) films[static_cast<std::size_t>(i)] = i;
      std::shuffle(films.begin(), films.end(), random);
      films.resize(random() % 60 + 1);
      for (const int film : films) {
        const auto item = "movie:" + std::to_string(film);
        const bool liked = random() % 3 != 0;
        rate(user, item, liked);
        if (liked) people[user].push_back(item);
      }
    }
  }
  void rate(const std::string& user, const std::string& item, bool liked) {
    node.event("rate", user, item, liked ? "\"value\":4" : "\"value\":2");
  }
  ItemGram gram(double decay) {
    LinearOptions options;
    options.decay = decay;
    EXPECT_TRUE(node.engine().commit_all());
    std::vector<const state::PartitionStore*> stores;
    for (std::uint16_t p = 0; p < node.engine().partitions(); ++p) {
      stores.push_back(&node.engine().store(p));
    }
    JobControl control;
    auto made = gram_of(stores, options, control);
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  // What `linear` has for u1, with scores: item numbers are another engine's after a restart.
  std::vector<std::pair<std::string, double>> answer() {
    Query query;
    query.user = UserId("u1");
    query.now = node.clock().now();
    const auto ranked = rank_linear(query, *node.engine().read("u1"));
    EXPECT_EQ(ranked.algorithm, "linear");
    EXPECT_EQ(ranked.level, "personal");
    std::vector<std::pair<std::string, double>> out;
    for (const auto& scored : ranked.items) {
      out.emplace_back(node.engine().items().name(scored.item), scored.score);
    }
    return out;
  }

  TestNode node;
  Sequences people;
};

TEST_F(LinearFromPages, TheGramMatrixIsTheDirectOneExactlyAlsoAfterErasing) {
  for (const double decay : {0.0, 10.0})
    expect_equal(gram(decay), node.engine().items(), people, decay);
  for (int u = 1; u <= 50; ++u) {
    const auto user = "u" + std::to_string(u);
    ASSERT_EQ(node.call("DELETE", "/v1/users/" + user).status() / 100, 2);
    people.erase(user);
  }
  for (const double decay : {0.0, 10.0})
    expect_equal(gram(decay), node.engine().items(), people, decay);
}

TEST_F(LinearFromPages, ATrainingIsServedKeptAndReadAgain) {
  ASSERT_EQ(node.engine().read("u1")->linear, nullptr);
  ASSERT_TRUE(node.trainer().train(ModelKind::kLinear));
  ASSERT_TRUE(eventually([&] { return node.engine().read("u1")->linear != nullptr; }));
  const auto first = answer();
  ASSERT_FALSE(first.empty());
  node.restart();
  EXPECT_EQ(first, answer());
}

TEST(LinearModelTest, TakesTheItemsOfMostPeopleThatFit) {
  LinearOptions options;
  options.max_items = 10'000;
  options.max_bytes = 8 * 3 * 3;
  TestNode node;
  for (int i = 0; i < 6; ++i) {
    node.put("movie:" + std::to_string(i));
    for (int u = 0; u <= i; ++u) {
      node.event("rate", "u" + std::to_string(u), "movie:" + std::to_string(i), "\"value\":5");
    }
  }
  ASSERT_TRUE(node.engine().commit_all());
  std::vector<const state::PartitionStore*> stores;
  for (std::uint16_t p = 0; p < node.engine().partitions(); ++p) {
    stores.push_back(&node.engine().store(p));
  }
  JobControl control;
  const auto gram = gram_of(stores, options, control);
  ASSERT_TRUE(gram);
  std::vector<std::string> names;
  for (const auto item : gram->items()) names.emplace_back(node.engine().items().name(item));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"movie:3", "movie:4", "movie:5"}));
}

bool has_numpy() { return run_command({"/usr/bin/python3", "-c", "import numpy"}).exit_code == 0; }

// What numpy makes of people who took to items below `items` (tests/processors/ease_reference.py):
// B, row by row.
std::vector<double> numpy_ease(const std::vector<std::vector<std::uint32_t>>& people,
                               std::size_t items, int lambda) {
  const TempDir folder;
  const auto file = folder.path() / "people.txt";
  std::ofstream out(file);
  for (const auto& person : people) {
    for (const auto item : person) out << item << ' ';
    out << '\n';
  }
  out.close();
  const auto reference = run_command(
      {"/usr/bin/python3", std::string(MILLRACE_SOURCE_DIR) + "/tests/processors/ease_reference.py",
       file.string(), std::to_string(items), std::to_string(lambda)});
  EXPECT_EQ(reference.exit_code, 0) << reference.err;
  std::istringstream cells(reference.out);
  std::vector<double> all(items * items);
  for (double& cell : all) EXPECT_TRUE(cells >> cell);
  return all;
}

// Plain settings against numpy, on random people.
TEST(LinearModelTest, PlainSettingsEqualNumpyEase) {
  if (!has_numpy()) GTEST_SKIP() << "no python3-numpy";
  constexpr std::uint32_t kItems = 150;
  std::mt19937 random(4);
  std::vector<state::ItemIndex> items(kItems);
  for (std::uint32_t i = 0; i < kItems; ++i) items[i] = i;
  ItemGram gram(items, 0);
  std::vector<std::vector<std::uint32_t>> people;
  for (int u = 0; u < 400; ++u) {
    std::shuffle(items.begin(), items.end(), random);
    const std::span chosen(items.data(), random() % 40 + 1);
    gram.add(chosen);
    people.emplace_back(chosen.begin(), chosen.end());
  }
  LinearOptions options;
  options.sources = 0;
  options.lambda = 100;
  JobControl control;
  const auto model = LinearModel::solve(std::move(gram), options, control);
  ASSERT_TRUE(model) << model.error().detail;
  const auto reference = numpy_ease(people, kItems, 100);
  std::vector<double> ours(kItems);
  double sum = 0;
  for (std::uint32_t i = 0; i < kItems; ++i) {
    std::fill(ours.begin(), ours.end(), 0);
    for (const auto& [target, weight] : model->row(i)) ours[target] = weight;
    for (std::uint32_t j = 0; j < kItems; ++j) {
      const double cell = reference[i * kItems + j];
      EXPECT_NEAR(ours[j], cell, 2e-6);  // the steps that weights are kept in
      sum += std::abs(cell);
    }
  }
  EXPECT_GT(sum, 1);
}

// MovieLens 100K, lived through in order of time.
class LinearOfMovieLens : public LinearFromPages {
 protected:
  void SetUp() override {
    std::ifstream in(std::string(MILLRACE_SOURCE_DIR) + "/build/data/ml-100k/ml-100k.inter");
    if (!in) GTEST_SKIP() << "no build/data/ml-100k: ./dev data";
    std::string line;
    std::getline(in, line);
    struct Rating {
      std::int64_t time = 0;
      std::string user, item;
      int value = 0;
    };
    std::vector<Rating> all;
    while (std::getline(in, line)) {
      std::istringstream words(line);
      Rating rating;
      words >> rating.user >> rating.item >> rating.value >> rating.time;
      all.push_back(std::move(rating));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Rating& a, const Rating& b) { return a.time < b.time; });
    std::string body;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Rating& one = all[i];
      body += body.empty() ? "[" : ",";
      body += R"({"type":"rate","data":{"user":")" + one.user + R"(","item":"movie:)" + one.item +
              R"(","value":)" + std::to_string(one.value) + "}}";
      if (one.value >= 4) people[one.user].push_back("movie:" + one.item);
      if ((i + 1) % 500 != 0 && i + 1 < all.size()) continue;
      const auto reply = node.call("POST", "/v1/events?wait=applied", body + "]");
      ASSERT_EQ(reply.status(), 200) << reply.body();
      body.clear();
    }
  }
};

// Issue 8's first bar.
TEST_F(LinearOfMovieLens, EqualsNumpyEaseAndItsGramMatrixTheDirectOneAlsoAfterErasing) {
  expect_equal(gram(20), node.engine().items(), people, 20);
  for (int u = 1; u <= 50; ++u) {
    const auto user = std::to_string(u);
    ASSERT_EQ(node.call("DELETE", "/v1/users/" + user).status() / 100, 2);
    people.erase(user);
  }
  expect_equal(gram(20), node.engine().items(), people, 20);
  auto plain = gram(0);
  expect_equal(plain, node.engine().items(), people, 0);
  if (!has_numpy()) GTEST_SKIP() << "no python3-numpy";

  LinearOptions options;
  options.decay = 0;
  options.sources = 0;
  JobControl control;
  const auto n = plain.size();
  std::map<std::string, std::uint32_t> place;
  for (std::uint32_t i = 0; i < n; ++i) {
    place.emplace(node.engine().items().name(plain.items()[i]), i);
  }
  std::vector<std::vector<std::uint32_t>> rows;
  for (const auto& [user, items] : people) {
    auto& row = rows.emplace_back();
    for (const auto& item : items) row.push_back(place.at(item));
  }
  const auto model = LinearModel::solve(std::move(plain), options, control);
  ASSERT_TRUE(model) << model.error().detail;
  const auto reference = numpy_ease(rows, n, static_cast<int>(options.lambda));
  double worst = 0;
  for (const auto& row : rows) {
    std::vector<double> ours(n), theirs(n);
    for (const auto source : row) {
      for (const auto& [target, weight] : model->row(source)) ours[target] += weight;
      for (std::size_t j = 0; j < n; ++j) theirs[j] += reference[source * n + j];
    }
    for (std::size_t j = 0; j < n; ++j) worst = std::max(worst, std::abs(ours[j] - theirs[j]));
  }
  EXPECT_LT(worst, 1e-4);
}

}  // namespace
}  // namespace millrace::processors
