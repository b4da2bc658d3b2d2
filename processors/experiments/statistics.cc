#include "processors/experiments/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace millrace::processors {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr NamedMetric kMetrics[] = {
    {"click_through_rate", SuccessMetric::kClickThroughRate},
    {"clickers", SuccessMetric::kClickers},
    {"conversion_rate", SuccessMetric::kConversionRate},
    {"clicks_per_person", SuccessMetric::kClicksPerPerson},
    {"conversions_per_person", SuccessMetric::kConversionsPerPerson},
};

double real(std::uint64_t number) { return static_cast<double>(number); }

double normal_quantile(double alpha) {
  return boost::math::quantile(boost::math::normal(), 1 - alpha / 2);
}

double normal_p(double z) {
  if (std::isnan(z)) return 1;
  return std::min(1.0, std::erfc(std::abs(z) / std::sqrt(2.0)));
}

// Wilson 1927.
Interval score_interval(double successes, double n, double alpha) {
  if (n <= 0) return {0, 1};
  const double z = normal_quantile(alpha), p = successes / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Interval around(double value, double half) { return {value - half, value + half}; }

double t_quantile(double alpha, double degrees) {
  if (!(degrees > 0)) return kInfinity;
  return boost::math::quantile(boost::math::students_t(degrees), 1 - alpha / 2);
}

Estimate rate(double successes, double n, double alpha) {
  const double p = successes / n;
  return {p, p * (1 - p) / n, n, score_interval(successes, n, alpha)};
}

Estimate with_t(double value, double variance, double n, double alpha) {
  if (n < 2) return {value, 0, n, {-kInfinity, kInfinity}};
  return {value, variance, n, around(value, t_quantile(alpha, n - 1) * std::sqrt(variance))};
}

Estimate mean(double sum, double squares, double n, double alpha) {
  const double value = sum / n;
  const double spread = n < 2 ? 0 : std::max(0.0, (squares - sum * value) / (n - 1));
  return with_t(value, spread / n, n, alpha);
}

// Clicked answers by answers: both vary from person to person.
Estimate click_through(const state::ArmSums& sums, double alpha) {
  const double n = real(sums.people), shown = real(sums.exposures), clicks = real(sums.clicks);
  if (shown == 0) return {0, 0, n, {0, 1}};
  const double ratio = clicks / shown;
  // Of clicks - ratio * shown, whose mean is 0.
  const double squares = real(sums.clicks_squared) - 2 * ratio * real(sums.exposures_clicks) +
                         ratio * ratio * real(sums.exposures_squared);
  const double spread = n < 2 ? 0 : std::max(0.0, squares / (n - 1));
  return with_t(ratio, spread * n / (shown * shown), n, alpha);
}

bool is_rate_of_people(SuccessMetric metric) {
  return metric == SuccessMetric::kClickers || metric == SuccessMetric::kConversionRate;
}

// As if one half more had done it and one half more had not: the variance of a rate is never taken
// for 0 because nobody has (or everybody).
double cautious_variance(double p, double n) {
  const double moved = (p * n + 0.5) / (n + 1);
  return moved * (1 - moved) / n;
}

}  // namespace

std::span<const NamedMetric> success_metrics() { return kMetrics; }

std::optional<SuccessMetric> success_metric(std::string_view name) {
  for (const auto& one : kMetrics) {
    if (one.name == name) return one.metric;
  }
  return std::nullopt;
}

Estimate estimate(SuccessMetric metric, const state::ArmSums& sums, double alpha) {
  const double n = real(sums.people);
  if (n == 0) return {0, 0, 0, {0, 1}};
  switch (metric) {
    case SuccessMetric::kClickThroughRate: return click_through(sums, alpha);
    case SuccessMetric::kClickers: return rate(real(sums.clickers), n, alpha);
    case SuccessMetric::kConversionRate: return rate(real(sums.converters), n, alpha);
    case SuccessMetric::kClicksPerPerson:
      return mean(real(sums.clicks), real(sums.clicks_squared), n, alpha);
    case SuccessMetric::kConversionsPerPerson:
      return mean(real(sums.conversions), real(sums.conversions_squared), n, alpha);
  }
  return {};
}

AlwaysValid always_valid(double difference, double variance, double people, double best_at,
                         double alpha) {
  if (!(variance > 0) || !(people > 0)) return {{-kInfinity, kInfinity}, 1};
  const double log_alpha = 2 * std::log(1 / alpha);
  const double r = people * (log_alpha + std::log(log_alpha) + 1) / std::max(1.0, best_at);
  const double z2 = difference * difference / variance;
  const double half = std::sqrt(variance * (1 + 1 / r) * (log_alpha + std::log1p(r)));
  const double p = std::sqrt(1 + r) * std::exp(-z2 * r / (2 * (1 + r)));
  return {around(difference, half), std::min(1.0, p)};
}

Difference difference(SuccessMetric metric, const state::ArmSums& baseline,
                      const state::ArmSums& variant, double best_at, double alpha) {
  const auto a = estimate(metric, baseline, alpha), b = estimate(metric, variant, alpha);
  Difference out;
  out.value = b.value - a.value;
  if (a.people < 2 || b.people < 2) {
    out.fixed = out.always.interval = {-kInfinity, kInfinity};
    return out;
  }
  double variance = a.variance + b.variance;
  if (is_rate_of_people(metric)) {
    out.fixed = {out.value - std::hypot(b.value - b.interval.low, a.interval.high - a.value),
                 out.value + std::hypot(b.interval.high - b.value, a.value - a.interval.low)};
    const double pooled = (a.value * a.people + b.value * b.people) / (a.people + b.people);
    out.p = normal_p(out.value / std::sqrt(pooled * (1 - pooled) * (1 / a.people + 1 / b.people)));
    variance = cautious_variance(a.value, a.people) + cautious_variance(b.value, b.people);
  } else if (variance > 0) {
    const double degrees =
        variance * variance /
        (a.variance * a.variance / (a.people - 1) + b.variance * b.variance / (b.people - 1));
    out.fixed = around(out.value, t_quantile(alpha, degrees) * std::sqrt(variance));
    const boost::math::students_t t(degrees);
    const double size = std::abs(out.value) / std::sqrt(variance);
    out.p = std::min(1.0, 2 * boost::math::cdf(boost::math::complement(t, size)));
  } else {
    out.fixed = {-kInfinity, kInfinity};
  }
  out.always = always_valid(out.value, variance, a.people + b.people, best_at, alpha);
  return out;
}

double sample_ratio_p(const std::vector<Variant>& variants, std::span<const state::ArmSums> sums) {
  double people = 0, square = 0;
  int groups = 0;
  const auto count = [&sums](std::size_t i) { return i < sums.size() ? real(sums[i].people) : 0; };
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (variants[i].share == 0) continue;
    people += count(i);
    ++groups;
  }
  if (people == 0 || groups < 2) return 1;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (variants[i].share == 0) continue;
    const double expected = people * variants[i].share / kWholeTraffic;
    square += (count(i) - expected) * (count(i) - expected) / expected;
  }
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(groups - 1), square));
}

Preference preference(const state::ArmSums& sums, double best_at, double alpha) {
  Preference out{sums.prefer_first, sums.prefer_second};
  const double n = real(out.first + out.second);
  if (n == 0) return out;
  out.second_share = real(out.second) / n;
  out.fixed = score_interval(real(out.second), n, alpha);
  const boost::math::binomial even(n, 0.5);
  out.p = std::min(1.0, 2 * boost::math::cdf(even, real(std::min(out.first, out.second))));
  out.always = always_valid(out.second_share - 0.5, cautious_variance(out.second_share, n), n,
                            best_at, alpha);
  out.always.interval.low += 0.5;
  out.always.interval.high += 0.5;
  return out;
}

}  // namespace millrace::processors
