#include "app/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "app/numpy_random.h"

namespace millrace::app {
namespace {

constexpr std::size_t kDraws = 1000;

double gain(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }

double ideal(std::size_t hits) {
  double sum = 0;
  for (std::size_t place = 0; place < hits; ++place) sum += gain(place);
  return sum;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Of one list's first k.
struct Scores {
  double ndcg = 0, recall = 0, mrr = 0, hit = 0;
};
Scores scores_of(const Answered& answer, std::size_t k) {
  Scores scores;
  std::size_t hits = 0;
  for (std::size_t place = 0; place < std::min(k, answer.list.size()); ++place) {
    if (!std::binary_search(answer.truth.begin(), answer.truth.end(), answer.list[place])) continue;
    if (++hits == 1) scores.mrr = 1 / static_cast<double>(place + 1);
    scores.ndcg += gain(place);
  }
  scores.ndcg /= ideal(std::min(k, answer.truth.size()));
  scores.recall = static_cast<double>(hits) / static_cast<double>(answer.truth.size());
  scores.hit = hits > 0 ? 1 : 0;
  return scores;
}

Interval bootstrap(const std::vector<double>& values, std::uint64_t seed) {
  if (values.empty()) return {};
  NumpyRandom random(seed);
  std::vector<double> means(kDraws);
  for (double& drawn : means) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      drawn += values[random.up_to(static_cast<std::uint32_t>(values.size() - 1))];
    }
    drawn /= static_cast<double>(values.size());
  }
  std::sort(means.begin(), means.end());
  return {means[kDraws / 40], means[kDraws - 1 - kDraws / 40]};
}

double novelty_of(const std::vector<std::uint32_t>& list, std::size_t k,
                  const MetricsOptions& options) {
  std::vector<double> bits;
  for (std::size_t place = 0; place < std::min(k, list.size()); ++place) {
    const double had = std::max(1U, options.had_by[list[place]]);
    bits.push_back(-std::log2(had / static_cast<double>(std::max<std::size_t>(1, options.people))));
  }
  return mean(bits);
}

}  // namespace

RankingMetrics measure(const std::vector<Answered>& answers, const MetricsOptions& options) {
  RankingMetrics out;
  out.users = answers.size();
  for (const std::size_t k : options.k) {
    std::vector<double> ndcg, recall, mrr, hit, novelty;
    std::unordered_set<std::uint32_t> shown;
    for (const Answered& answer : answers) {
      const Scores scores = scores_of(answer, k);
      ndcg.push_back(scores.ndcg);
      recall.push_back(scores.recall);
      mrr.push_back(scores.mrr);
      hit.push_back(scores.hit);
      novelty.push_back(novelty_of(answer.list, k, options));
      const auto end =
          answer.list.begin() + static_cast<std::ptrdiff_t>(std::min(k, answer.list.size()));
      shown.insert(answer.list.begin(), end);
    }
    const std::string at = "@" + std::to_string(k);
    out.values["ndcg" + at] = mean(ndcg);
    out.values["recall" + at] = mean(recall);
    out.values["mrr" + at] = mean(mrr);
    out.values["hit_rate" + at] = mean(hit);
    out.values["novelty" + at] = mean(novelty);
    out.values["coverage" + at] = static_cast<double>(shown.size()) /
                                  static_cast<double>(std::max<std::size_t>(1, options.catalogue));
    out.intervals["ndcg" + at + "_ci95"] = bootstrap(ndcg, options.seed);
  }
  return out;
}

}  // namespace millrace::app
