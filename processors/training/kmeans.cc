#include "processors/training/kmeans.h"

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

namespace millrace::processors {
namespace {

using Sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using Index = Eigen::Index;

struct Problem {
  Sparse rows;
  Vector norms;  // squared
  Vector weights;
};

Problem problem_of(std::span<const SparseRow> rows, std::span<const std::uint32_t> weights,
                   std::size_t columns) {
  Problem problem;
  problem.rows.resize(static_cast<Index>(rows.size()), static_cast<Index>(columns));
  std::vector<Eigen::Triplet<double>> cells;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].columns.size(); ++j) {
      cells.emplace_back(static_cast<int>(i), static_cast<int>(rows[i].columns[j]),
                         rows[i].values[j]);
    }
  }
  problem.rows.setFromTriplets(cells.begin(), cells.end());
  problem.norms = problem.rows.cwiseProduct(problem.rows) * Vector::Ones(problem.rows.cols());
  problem.weights.resize(problem.rows.rows());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    problem.weights(static_cast<Index>(i)) = weights[i];
  }
  return problem;
}

// Squared distances of all rows to some centres, rows by centres.
Dense distances(const Problem& problem, const Dense& centres) {
  Dense out = -2.0 * (problem.rows * centres.transpose());
  out.colwise() += problem.norms;
  out.rowwise() += centres.rowwise().squaredNorm().transpose();
  return out.cwiseMax(0.0);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  double below(double top) { return std::ldexp(static_cast<double>(bits_() >> 11), -53) * top; }

 private:
  std::mt19937_64 bits_;
};

// A row, each as likely as `chances` say.
Index draw(const Vector& chances, Random& random) {
  double left = random.below(chances.sum());
  Index last = 0;
  for (Index i = 0; i < chances.size(); ++i) {
    if (chances(i) <= 0) continue;
    last = i;
    left -= chances(i);
    if (left < 0) break;
  }
  return last;
}

Dense start(const Problem& problem, std::uint32_t clusters, Random& random) {
  Dense centres(clusters, problem.rows.cols());
  centres.row(0) = Dense(problem.rows.row(draw(problem.weights, random)));
  Vector nearest = distances(problem, centres.topRows(1)).col(0);
  const int candidates = 2 + static_cast<int>(std::log(clusters));
  for (std::uint32_t k = 1; k < clusters; ++k) {
    const Vector chances = nearest.cwiseProduct(problem.weights);
    double least = std::numeric_limits<double>::infinity();
    Vector best;
    for (int c = 0; c < candidates; ++c) {
      const Dense row = Dense(problem.rows.row(draw(chances, random)));
      const Vector with = nearest.cwiseMin(distances(problem, row).col(0));
      const double potential = with.dot(problem.weights);
      if (potential >= least) continue;
      least = potential;
      best = with;
      centres.row(k) = row;
    }
    nearest = best;
  }
  return centres;
}

struct Assigned {
  std::vector<Index> labels;
  Vector nearest;  // squared distances
};

Assigned assign(const Problem& problem, const Dense& centres) {
  const Dense all = distances(problem, centres);
  Assigned out{std::vector<Index>(static_cast<std::size_t>(all.rows())), Vector(all.rows())};
  for (Index i = 0; i < all.rows(); ++i) {
    out.nearest(i) = all.row(i).minCoeff(&out.labels[static_cast<std::size_t>(i)]);
  }
  return out;
}

// Means of the clusters' rows.
Dense means(const Problem& problem, const Assigned& assigned, Index clusters) {
  Dense centres = Dense::Zero(clusters, problem.rows.cols());
  Vector sums = Vector::Zero(clusters);
  for (Index i = 0; i < problem.rows.rows(); ++i) {
    const Index label = assigned.labels[static_cast<std::size_t>(i)];
    sums(label) += problem.weights(i);
    for (Sparse::InnerIterator cell(problem.rows, i); cell; ++cell) {
      centres(label, cell.col()) += problem.weights(i) * cell.value();
    }
  }
  Vector far = assigned.nearest;
  for (Index k = 0; k < clusters; ++k) {
    if (sums(k) > 0) {
      centres.row(k) /= sums(k);
      continue;
    }
    Index farthest = 0;
    far.maxCoeff(&farthest);
    far(farthest) = -1;
    centres.row(k) = Dense(problem.rows.row(farthest));
  }
  return centres;
}

// Mean over the columns of their variance over the rows.
double mean_variance(const Problem& problem) {
  const double all = problem.weights.sum();
  const Vector mean = problem.rows.transpose() * problem.weights / all;
  const double square = problem.norms.dot(problem.weights) / all;
  return (square - mean.squaredNorm()) / static_cast<double>(std::max<Index>(1, mean.size()));
}

std::uint32_t different_rows(std::span<const SparseRow> rows) {
  std::vector<std::pair<std::vector<std::uint32_t>, std::vector<double>>> all;
  for (const auto& row : rows) all.emplace_back(row.columns, row.values);
  std::sort(all.begin(), all.end());
  return static_cast<std::uint32_t>(std::unique(all.begin(), all.end()) - all.begin());
}

}  // namespace

std::uint32_t KMeansFit::nearest(const SparseRow& row) const {
  std::uint32_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t k = 0; k < clusters; ++k) {
    const Eigen::Map<const Vector> centre(centres.data() + k * columns,
                                          static_cast<Index>(columns));
    double distance = centre.squaredNorm();
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
      distance -= 2 * centre(row.columns[i]) * row.values[i];
    }
    if (distance < least) {
      least = distance;
      best = k;
    }
  }
  return best;
}

std::optional<KMeansFit> fit_kmeans(std::span<const SparseRow> rows,
                                    std::span<const std::uint32_t> weights, std::size_t columns,
                                    const KMeansOptions& options,
                                    const std::function<bool()>& cancelled) {
  KMeansFit fit;
  fit.columns = columns;
  fit.clusters = std::min(options.clusters, different_rows(rows));
  if (fit.clusters == 0) return fit;
  const Problem problem = problem_of(rows, weights, columns);
  const double still = options.tolerance * mean_variance(problem);
  Random random(options.seed);
  fit.inertia = std::numeric_limits<double>::infinity();
  for (int run = 0; run < options.starts; ++run) {
    Dense centres = start(problem, fit.clusters, random);
    for (int i = 0; i < options.max_iterations; ++i) {
      if (cancelled()) return std::nullopt;
      Dense moved = means(problem, assign(problem, centres), fit.clusters);
      const double shift = (moved - centres).squaredNorm();
      centres = std::move(moved);
      if (shift <= still) break;
    }
    const Assigned assigned = assign(problem, centres);
    const double inertia = assigned.nearest.dot(problem.weights);
    if (inertia >= fit.inertia) continue;
    fit.inertia = inertia;
    fit.centres.assign(centres.data(), centres.data() + centres.size());
    fit.labels.assign(assigned.labels.begin(), assigned.labels.end());
  }
  return fit;
}

}  // namespace millrace::processors
