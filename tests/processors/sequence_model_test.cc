#include "processors/training/sequence_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "processors/rankers/deep_learning.h"
#include "tests/support/ranker_world.h"
#include "tests/support/sequence_models.h"
#include "tests/support/temp_dir.h"

namespace millrace::processors {
namespace {

using Rows = std::vector<std::uint32_t>;

std::vector<std::string> ids(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back("video:" + std::to_string(i));
  return out;
}

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

using Vectors = std::vector<std::vector<double>>;

std::vector<double> normed(const SequenceModel::Norm& norm, const std::vector<double>& x) {
  double mean = 0, square = 0;
  for (const double v : x) mean += v / double(x.size());
  for (const double v : x) square += (v - mean) * (v - mean) / double(x.size());
  std::vector<double> out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    out.push_back((x[i] - mean) / std::sqrt(square + 1e-5) * double{norm.scale[i]} +
                  double{norm.shift[i]});
  }
  return out;
}

std::vector<double> through(const SequenceModel::Linear& linear, const std::vector<double>& x) {
  std::vector<double> out(linear.bias.begin(), linear.bias.end());
  for (std::size_t o = 0; o < out.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      out[o] += double{linear.weight[o * x.size() + i]} * x[i];
    }
  }
  return out;
}

void add(std::vector<double>& to, const std::vector<double>& what) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += what[i];
}

// One place's attention, number by number, as the header has it.
std::vector<double> attended(const SequenceModel& model, const SequenceModel::Block& block,
                             const Vectors& x, std::size_t t) {
  const std::size_t width = model.dim / model.heads;
  const auto query = through(block.query, normed(block.attention_norm, x[t]));
  std::vector<double> gathered(model.dim, 0.0);
  for (std::size_t h = 0; h < model.heads; ++h) {
    std::vector<double> weight;
    double sum = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      const auto key = through(block.key, normed(block.attention_norm, x[s]));
      double logit = double{block.distance[h * model.length + (t - s)]};
      for (std::size_t i = h * width; i < (h + 1) * width; ++i) {
        logit += query[i] * key[i] / std::sqrt(double(width));
      }
      weight.push_back(std::exp(logit));
      sum += weight.back();
    }
    for (std::size_t s = 0; s <= t; ++s) {
      const auto value = through(block.value, normed(block.attention_norm, x[s]));
      for (std::size_t i = h * width; i < (h + 1) * width; ++i) {
        gathered[i] += weight[s] / sum * value[i];
      }
    }
  }
  return through(block.out, gathered);
}

std::vector<double> by_hand(const SequenceModel& model, const Rows& sequence) {
  Vectors x;
  for (const auto row : sequence) {
    const auto from = model.item_vectors.begin() + std::ptrdiff_t(row * model.dim);
    x.emplace_back(from, from + model.dim);
  }
  for (const auto& block : model.blocks) {
    Vectors next = x;
    for (std::size_t t = 0; t < x.size(); ++t) {
      add(next[t], attended(model, block, x, t));
      auto fed = through(block.up, normed(block.feed_norm, next[t]));
      for (double& v : fed) v = std::max(v, 0.0);
      add(next[t], through(block.down, fed));
    }
    x = next;
  }
  return normed(model.last, x.back());
}

TEST(SequenceModelTest, IsTheFormula) {
  const auto model = random_sequence_model(ids(30), 3);
  for (const Rows& sequence : {Rows{4}, Rows{1, 2, 3}, Rows{9, 8, 9, 1, 0, 2, 3, 4}}) {
    const auto point = model.represent(sequence);
    const auto expected = by_hand(model, sequence);
    ASSERT_EQ(point.size(), model.dim);
    for (std::size_t i = 0; i < point.size(); ++i) EXPECT_NEAR(point[i], expected[i], 1e-4);
    const auto logits = model.logits(point);
    ASSERT_EQ(logits.size(), 30u);
    for (std::size_t row = 0; row < 30; ++row) {
      EXPECT_NEAR(logits[row],
                  dot(&model.item_vectors[row * model.dim], point.data(), model.dim) +
                      double{model.item_bias[row]},
                  1e-4);
    }
  }
  Rows longer{5, 6};
  const Rows last{1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_EQ(last.size(), model.length);
  longer.insert(longer.end(), last.begin(), last.end());
  EXPECT_EQ(model.represent(longer), model.represent(last)) << "the newest alone count";
}

TEST(SequenceModelTest, ComesBackFromItsFileWithoutTheItemsThatAreUnknown) {
  auto model = random_sequence_model(ids(20), 4);
  model.position.include({Topic::kInteractions, 1}, 77);
  model.record = {7, 3, 2.5, 0.25};
  const TempDir folder;
  ASSERT_TRUE(write_model(folder.path(), model.encode()));
  const auto file = read_model(folder.path(), kSequenceModelName);
  ASSERT_TRUE(file) << file.error().detail;
  state::NameTable known;
  for (int i = 19; i >= 0; i -= 2) known.intern("video:" + std::to_string(i));
  const auto read = SequenceModel::decode(*file, known);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->position, model.position);
  EXPECT_EQ(read->record.epoch, 7u);
  EXPECT_EQ(read->ids.size(), 10u);
  const auto item = *known.find("video:5");
  const auto row = read->row_of(item);
  EXPECT_EQ(read->ids[row], "video:5");
  EXPECT_EQ(read->items[row], item);
  EXPECT_EQ(read->row_of(99), SequenceModel::kNoRow);
  const auto all = model.logits(model.represent(Rows{5, 7}));
  const auto some = read->logits(read->represent(Rows{row, read->row_of(*known.find("video:7"))}));
  for (std::size_t r = 0; r < read->ids.size(); ++r) {
    EXPECT_EQ(some[r], all[std::stoul(read->ids[r].substr(6))]);
  }
}

TEST(SequenceModelTest, NumbersThatDoNotFitAreRefused) {
  const auto refuses = [](const SequenceModel& model) {
    const auto read = SequenceModel::decode(model.encode(), {});
    return !read && read.error().code == Code::kCorrupt;
  };
  const auto sound = random_sequence_model(ids(5), 1);
  EXPECT_FALSE(refuses(sound));
  auto model = sound;
  model.item_vectors.pop_back();
  EXPECT_TRUE(refuses(model));
  model = sound;
  model.heads = 3;
  EXPECT_TRUE(refuses(model)) << "does not divide the dimension";
  model = sound;
  model.blocks[0].down.bias.push_back(0);
  EXPECT_TRUE(refuses(model));
  model = sound;
  model.last.scale[0] = NAN;
  EXPECT_TRUE(refuses(model));
  model = sound;
  model.blocks.clear();
  EXPECT_TRUE(refuses(model));
  auto file = sound.encode();
  file.model.resize(file.model.size() / 2);
  EXPECT_FALSE(SequenceModel::decode(file, {}));
}

class DeepLearning : public testing::Test {
 protected:
  DeepLearning() {
    for (int i = 0; i < 12; ++i) world.put("video:" + std::to_string(i));
    world.view("ann", "video:1");
    world.like("ann", "video:2");
    world.rate("ann", "video:3", 3);  // in the sequence, but not good enough
    query.user = UserId("ann");
    query.limit = 3;
    query.now = world.now;
    query.explain = true;
  }
  void serve(const std::vector<std::string>& items) {
    auto model = SequenceModel::decode(random_sequence_model(items, 5).encode(), world.items);
    ASSERT_TRUE(model);
    world.deep_learning = std::make_shared<const SequenceModel>(*std::move(model));
  }
  RankerWorld world;
  Query query;
};

TEST_F(DeepLearning, RanksByTheModelOfThisInstantsItems) {
  serve(ids(12));
  const auto ranked = rank_deep_learning(query, world.state("ann"));
  EXPECT_EQ(ranked.algorithm, "deep_learning");
  EXPECT_EQ(ranked.level, "personal");
  const auto& model = *world.deep_learning;
  const auto expect = [&](const Ranked& found, const Rows& sequence, std::set<int> had) {
    const auto logits = model.logits(model.represent(sequence));
    std::vector<int> best;
    for (int i = 0; i < 12; ++i) {
      if (!had.contains(i)) best.push_back(i);
    }
    std::sort(best.begin(), best.end(),
              [&](int a, int b) { return logits[std::size_t(a)] > logits[std::size_t(b)]; });
    ASSERT_EQ(found.items.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(world.id(found.items[i].item), "video:" + std::to_string(best[i]));
    }
    EXPECT_NEAR(found.items[0].score - found.items[1].score,
                logits[std::size_t(best[0])] - logits[std::size_t(best[1])], 1e-5);
  };
  expect(ranked, {1, 2}, {1, 2, 3});
  world.view("ann", "video:7");
  expect(rank_deep_learning(query, world.state("ann")), {1, 2, 7}, {1, 2, 3, 7});
}

TEST_F(DeepLearning, FallsBackAndSaysSo) {
  const auto untrained = rank_deep_learning(query, world.state("ann"));
  EXPECT_NE(untrained.algorithm, "deep_learning");
  EXPECT_NE(untrained.level, "personal");
  EXPECT_EQ(untrained.items.size(), 3u);
  serve({"video:8", "video:9"});
  EXPECT_NE(rank_deep_learning(query, world.state("ann")).algorithm, "deep_learning")
      << "the model knows none of the person's items";
  EXPECT_NE(rank_deep_learning(query, world.state("stranger")).algorithm, "deep_learning");
  serve({"video:1", "video:9"});
  const auto short_of_items = rank_deep_learning(query, world.state("ann"));
  EXPECT_EQ(short_of_items.algorithm, "deep_learning");
  EXPECT_EQ(short_of_items.items.size(), 3u) << "filled up";
  EXPECT_EQ(world.id(short_of_items.items[0].item), "video:9");
}

}  // namespace
}  // namespace millrace::processors
