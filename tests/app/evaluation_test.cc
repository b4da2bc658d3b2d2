#include "app/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "app/numpy_random.h"
#include "tests/support/temp_dir.h"

namespace millrace::app {
namespace {

const std::string kFolder = std::string(MILLRACE_SOURCE_DIR) + "/tests/app/evaluation";

bool go_on(double, std::uint64_t) { return true; }

// tests/app/evaluation/expected.txt: what the Python reference (quality.py) makes of the ratings
// beside it, lines of `PROTOCOL WHAT VALUE…`.
std::map<std::string, std::vector<std::string>> expected() {
  std::map<std::string, std::vector<std::string>> out;
  std::ifstream in(kFolder + "/expected.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string protocol, what, word;
    words >> protocol >> what;
    auto& values = out[protocol + " " + what];
    while (words >> word) values.push_back(word);
  }
  return out;
}

std::vector<std::string> texts(const EvaluationData& data,
                               const std::vector<std::uint32_t>& places) {
  std::vector<std::string> out;
  for (const auto place : places) {
    const Sample& sample = data.samples[place];
    out.push_back(data.users[sample.user] + ":" + data.items[sample.item]);
  }
  return out;
}

class EvaluationOf : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto read = read_movielens(kFolder, go_on);
    ASSERT_TRUE(read) << read.error().detail;
    data = *std::move(read);
    std::vector<std::uint32_t> all(data.samples.size());
    std::iota(all.begin(), all.end(), 0U);
    protocol = *find_protocol(GetParam());
    split = cut(data, all, protocol, 0.2, 42);
    said = expected();
  }
  const std::vector<std::string>& said_of(const std::string& what) {
    return said.at(std::string(GetParam()) + " " + what);
  }

  EvaluationData data;
  Protocol protocol{};
  Split split;
  std::map<std::string, std::vector<std::string>> said;
};

TEST_P(EvaluationOf, CutsAsTheReferenceDoes) {
  EXPECT_EQ(texts(data, split.train), said_of("train"));
  EXPECT_EQ(texts(data, split.test), said_of("test"));
  std::vector<std::string> users;
  for (const auto& question : questions_of(data, split, protocol)) {
    users.push_back(data.users[question.user]);
  }
  EXPECT_EQ(users, said_of("users"));
  const double share = protocol == Protocol::kTemporal ? 1.0 / 8 : 0.2;
  EXPECT_EQ(texts(data, cut(data, split.train, protocol, share, 43).test), said_of("validation"));
}

// The lists that the reference scored: items by (7 item + 3 user) mod 23, what was rated left out.
TEST_P(EvaluationOf, MeasuresAsTheReferenceDoes) {
  const auto questions = questions_of(data, split, protocol);
  std::vector<Answered> answers;
  for (const auto& question : questions) {
    std::vector<bool> seen(data.items.size());
    for (const auto place : split.train) {
      const Sample& sample = data.samples[place];
      if (sample.user == question.user) seen[sample.item] = true;
    }
    std::vector<std::uint32_t> list(data.items.size());
    std::iota(list.begin(), list.end(), 0U);
    std::stable_sort(list.begin(), list.end(), [&](std::uint32_t a, std::uint32_t b) {
      return (7 * a + 3 * question.user) % 23 < (7 * b + 3 * question.user) % 23;
    });
    std::erase_if(list, [&](std::uint32_t item) { return seen[item]; });
    list.resize(std::min<std::size_t>(list.size(), 20));
    answers.push_back({std::move(list), question.truth});
  }
  const std::vector<std::uint32_t> had_by(data.items.size(), 1);
  MetricsOptions options;
  options.catalogue = data.items.size();
  options.had_by = had_by;
  options.people = data.users.size();
  const auto metrics = measure(answers, options);
  for (const auto& pair : said_of("metrics")) {
    auto name = pair.substr(0, pair.find('='));
    const double value = std::stod(pair.substr(pair.find('=') + 1));
    if (name == "hr@10") name = "hit_rate@10";
    ASSERT_TRUE(metrics.values.contains(name)) << name;
    EXPECT_NEAR(metrics.values.at(name), value, 1e-9) << name;
  }
  const auto interval = metrics.intervals.at("ndcg@10_ci95");
  EXPECT_LE(interval.low, metrics.values.at("ndcg@10"));
  EXPECT_GE(interval.high, metrics.values.at("ndcg@10"));
}

INSTANTIATE_TEST_SUITE_P(Protocols, EvaluationOf,
                         ::testing::Values("temporal", "last-out", "user-temporal", "random"));

// np.random.default_rng(42).permutation(10), then of 7.
TEST(NumpyRandom, ShufflesAsNumpyDoes) {
  NumpyRandom random(42);
  EXPECT_EQ(random.permutation(10), (std::vector<std::uint32_t>{5, 6, 0, 7, 3, 2, 4, 9, 1, 8}));
  EXPECT_EQ(random.permutation(7), (std::vector<std::uint32_t>{6, 5, 2, 4, 3, 0, 1}));
}

TEST(Evaluate, AsksTheRealRankersAndNeverForWhatWasRated) {
  const auto data = read_movielens(kFolder, go_on);
  ASSERT_TRUE(data);
  EvaluationOptions options;
  options.protocol = Protocol::kLastOut;
  options.algorithms = {"collaborative", "linear", "hybrid_ensemble"};
  const auto results = evaluate(*data, options, [](const auto&, double, auto) { return true; });
  ASSERT_TRUE(results) << results.error().detail;
  ASSERT_EQ(results->size(), 3u);
  std::vector<std::uint32_t> all(data->samples.size());
  std::iota(all.begin(), all.end(), 0U);
  const auto split = cut(*data, all, Protocol::kLastOut, 0.2, 42);
  for (const auto& result : *results) {
    ASSERT_EQ(result.lists.size(), 12u);
    for (const auto& [user, list] : result.lists) {
      EXPECT_FALSE(list.empty());
      for (const auto place : split.train) {
        if (data->samples[place].user != user) continue;
        EXPECT_EQ(std::count(list.begin(), list.end(), data->samples[place].item), 0);
      }
    }
  }
}

TEST(Evaluate, PrequentialPredictsEveryNewPositiveButTheFirst) {
  const auto data = read_movielens(kFolder, go_on);
  ASSERT_TRUE(data);
  EvaluationOptions options;
  options.protocol = Protocol::kPrequential;
  options.algorithms = {"collaborative", "linear"};
  const auto results = evaluate(*data, options, [](const auto&, double, auto) { return true; });
  ASSERT_TRUE(results) << results.error().detail;
  std::vector<std::size_t> positives(data->users.size());
  for (const auto& sample : data->samples) positives[sample.user] += sample.positive() ? 1 : 0;
  std::size_t asked = 0;
  for (const auto n : positives) asked += n > 0 ? n - 1 : 0;
  for (const auto& result : *results) EXPECT_EQ(result.metrics.users, asked);
}

// 200 people who take turns, so that each batch holds many, each with ten sessions.
void write_busy(const std::filesystem::path& folder) {
  std::ofstream movies(folder / "movies.csv"), ratings(folder / "ratings.csv");
  movies << "movieId,title,genres\n";
  for (int i = 1; i <= 120; ++i) movies << i << ",Film " << i << ",Drama\n";
  ratings << "userId,movieId,rating,timestamp\n";
  NumpyRandom random(5);
  for (int u = 1; u <= 200; ++u) {
    const auto order = random.permutation(120);
    for (int n = 0; n < 40; ++n) {
      const auto film = order[static_cast<std::size_t>(n)] + 1;
      ratings << u << ',' << film << ',' << (film % 5 == 0 ? 2 : 4) << ','
              << 1'000'000'000 + n / 4 * 7200 + u << '\n';
    }
  }
}

TEST(Evaluate, TwoRunsAreTheSame) {
  const TempDir folder;
  write_busy(folder.path());
  const auto data = read_movielens(folder.path().string(), go_on);
  ASSERT_TRUE(data) << data.error().detail;
  EvaluationOptions options;
  options.protocol = Protocol::kLastOut;
  options.algorithms = {"session", "collaborative", "linear", "hybrid_ensemble"};
  const auto run = [&] {
    auto results = evaluate(*data, options, [](const auto&, double, auto) { return true; });
    EXPECT_TRUE(results);
    return *std::move(results);
  };
  const auto first = run();
  for (int again = 0; again < 3; ++again) {
    const auto second = run();
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].lists, second[i].lists) << first[i].algorithm;
      EXPECT_EQ(first[i].metrics.values, second[i].metrics.values) << first[i].algorithm;
    }
  }
}

TEST(Evaluate, StopsWhenAsked) {
  const auto data = read_movielens(kFolder, go_on);
  ASSERT_TRUE(data);
  const auto results = evaluate(*data, {}, [](const auto&, double, auto) { return false; });
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code, Code::kUnavailable);
}

TEST(Evaluate, NamesAnUnknownAlgorithm) {
  EvaluationOptions options;
  options.algorithms = {"oracle"};
  const auto results = evaluate({}, options, [](const auto&, double, auto) { return true; });
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().field, "algorithms");
}

// Issue 8's bars, where `./dev data` has fetched MovieLens 100K.
class EvaluateQuality : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = std::string(MILLRACE_SOURCE_DIR) + "/build/data/ml-100k";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder << ": ./dev data";
    auto read = read_movielens(folder, go_on);
    ASSERT_TRUE(read);
    data = *std::move(read);
  }
  struct Least {
    std::string algorithm;
    double value = 0;
  };
  void expect(Protocol protocol, const std::string& metric, std::size_t users,
              const std::vector<Least>& least) {
    EvaluationOptions options;
    options.protocol = protocol;
    options.algorithms.clear();
    for (const auto& one : least) options.algorithms.push_back(one.algorithm);
    const auto results = evaluate(data, options, [](const auto&, double, auto) { return true; });
    ASSERT_TRUE(results) << results.error().detail;
    for (std::size_t i = 0; i < results->size(); ++i) {
      const auto& metrics = (*results)[i].metrics;
      EXPECT_EQ(metrics.users, users);
      EXPECT_GE(metrics.values.at(metric), least[i].value) << least[i].algorithm;
    }
  }
  EvaluationData data;
};

TEST_F(EvaluateQuality, LeaveLastOut) {
  expect(Protocol::kLastOut, "ndcg@10", 942,
         {{"collaborative", 0.100}, {"linear", 0.120}, {"hybrid_ensemble", 0.130}});
}

TEST_F(EvaluateQuality, FrozenAtTheSplit) {
  expect(Protocol::kTemporal, "ndcg@10", 97, {{"hybrid_ensemble", 0.27}});
}

TEST_F(EvaluateQuality, RandomSplitAsGoodAsEase) {
  expect(Protocol::kRandom, "ndcg@20", 929, {{"linear", 0.3792}, {"hybrid_ensemble", 0.3792}});
}

}  // namespace
}  // namespace millrace::app
