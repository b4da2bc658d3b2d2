#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace millrace::app {

// A list and what would have been right in it (items ascending, not empty).
struct Answered {
  std::vector<std::uint32_t> list;  // best first
  std::span<const std::uint32_t> truth;
};

struct Interval {
  double low = 0, high = 0;
};

// Means over people. Binary relevance; an ideal list begins with min(k, |truth|) hits.
//   ndcg@k, recall@k (hits / |truth|), mrr@k (1 / place of the first hit), hit_rate@k
//   coverage@k: distinct items in all lists' first k / items of the catalogue
//   novelty@k: mean over people of the mean of -log2(share of people who have the item) over the
//     list's first k, an item that nobody has counting as had by one
struct RankingMetrics {
  std::map<std::string, double> values;
  std::map<std::string, Interval> intervals;  // ndcg@k_ci95: bootstrap over people, 1000 draws
  std::size_t users = 0;
};
struct MetricsOptions {
  std::vector<std::size_t> k{10, 20};
  std::size_t catalogue = 0;              // items
  std::span<const std::uint32_t> had_by;  // people, by item
  std::size_t people = 0;
  std::uint64_t seed = 7;  // of the bootstrap
};
RankingMetrics measure(const std::vector<Answered>& answers, const MetricsOptions& options);

}  // namespace millrace::app
