#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "processors/training/tfidf.h"

namespace millrace::processors {

struct KMeansOptions {
  std::uint32_t clusters = 5;  // fewer where there are fewer different rows
  int starts = 10;             // the best of these is kept
  int max_iterations = 300;
  double tolerance = 1e-4;  // of the centres' movement, times the columns' mean variance
  std::uint64_t seed = 1;
};

struct KMeansFit {
  std::uint32_t clusters = 0;
  std::size_t columns = 0;
  std::vector<double> centres;        // clusters rows of `columns`
  std::vector<std::uint32_t> labels;  // of the rows
  double inertia = 0;                 // sum of weight * squared distance to the nearest centre

  // The cluster of the nearest centre, of equal ones the first. Needs one.
  std::uint32_t nearest(const SparseRow& row) const;
};

// K-means by Lloyd's algorithm from greedy k-means++ starts (Arthur and Vassilvitskii, SODA 2007;
// 2 + ln k candidates a centre, as scikit-learn's KMeans has it). A row of weight w counts as w
// equal ones. A cluster that has become empty starts anew at the row farthest from its centre. The
// same input gives the same fit. Nothing once `cancelled()`, which is asked before every pass.
std::optional<KMeansFit> fit_kmeans(std::span<const SparseRow> rows,
                                    std::span<const std::uint32_t> weights, std::size_t columns,
                                    const KMeansOptions& options,
                                    const std::function<bool()>& cancelled);

}  // namespace millrace::processors
