#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "schemas/experiment.h"
#include "state/trials.h"

namespace millrace::processors {

// What experiments conclude from the sums of their variants. People are what is drawn at random:
// every formula takes them as independent, and nothing else. Pure functions.
//
// Two kinds of intervals stand side by side. The *fixed* ones hold for whoever looks once, at a
// time chosen beforehand. The *always valid* ones hold at all times together, so that whoever looks
// every day and stops when he likes errs no more often; they are wider, and decide.

// The chance to err that all intervals and conclusions keep to.
inline constexpr double kAlpha = 0.05;
// Below it people are not where the shares say: something loses them (Fabijan et al.: Diagnosing
// sample ratio mismatch in online controlled experiments, KDD 2019).
inline constexpr double kMismatch = 0.001;

enum class SuccessMetric : std::uint8_t {
  kClickThroughRate,      // answers clicked / answers shown
  kClickers,              // people who clicked / people
  kConversionRate,        // people who converted / people
  kClicksPerPerson,       // answers clicked / people
  kConversionsPerPerson,  // conversions / people
};
struct NamedMetric {
  std::string_view name;
  SuccessMetric metric;
};
std::span<const NamedMetric> success_metrics();
std::optional<SuccessMetric> success_metric(std::string_view name);

struct Interval {
  double low = 0;
  double high = 0;
};

// A metric of one variant.
struct Estimate {
  double value = 0;
  double variance = 0;  // of the value
  double people = 0;
  Interval interval;  // fixed
};
// Of rates of people: the score interval (Wilson 1927). Of means over people: Student's t. Of
// clicks by answers, a ratio of two means: the delta method over people (Deng, Knoblich, Lu:
// Applying the delta method in metric analytics, KDD 2018, §3). Without people: 0 within [0, 1].
Estimate estimate(SuccessMetric metric, const state::ArmSums& sums, double alpha = kAlpha);

// What is allowed to be looked at at any time: with its interval and p-value, at this time.
struct AlwaysValid {
  Interval interval;
  double p = 1;
};
// For a difference of that variance, of `people` in both variants, tightest at `best_at` of them.
// The asymptotic confidence sequence by a normal mixture (Waudby-Smith, Arbour, Sinha, Kennedy,
// Ramdas: Time-uniform central limit theory and asymptotic confidence sequences, Annals of
// Statistics 2024, Theorem 2.2), which is the mixture sequential probability ratio test (Johari,
// Koomen, Pekelis, Walsh: Always valid inference, Operations Research 2022, §5) with the mixture's
// width as a share of the metric's own variance: with n people, r = n ρ² and z² = difference² /
// variance
//   p = min(1, √(1 + r) exp(−z² r / (2 (1 + r)))),
//   interval = difference ± √(variance (1 + 1/r) (2 ln(1/α) + ln(1 + r))),
// ρ² = (2 ln(1/α) + ln(2 ln(1/α)) + 1) / best_at (ibid., eq. 56).
AlwaysValid always_valid(double difference, double variance, double people, double best_at,
                         double alpha = kAlpha);

// A metric of a variant less that of the one that it is compared with.
struct Difference {
  double value = 0;
  Interval fixed;
  double p = 1;  // fixed, two-sided
  AlwaysValid always;
};
// Fixed: of rates of people Newcombe's hybrid score interval (Statistics in Medicine 1998, method
// 10) and the two-proportion z-test, else Welch's t. `best_at`: as always_valid has it.
Difference difference(SuccessMetric metric, const state::ArmSums& baseline,
                      const state::ArmSums& variant, double best_at, double alpha = kAlpha);

// How probable it is that people fall so far from the shares by chance: Pearson's chi-square test.
// Variants without a share are left out. 1 where there is nobody.
double sample_ratio_p(const std::vector<Variant>& variants, std::span<const state::ArmSums> sums);

// Which of two interleaved variants people prefer: those with more clicks on its items than on the
// other's (Chapelle, Joachims, Radlinski, Yue: Large-scale validation and analysis of interleaved
// search evaluation, TOIS 2012). Who clicks as often on both says nothing.
struct Preference {
  std::uint64_t first = 0;  // people
  std::uint64_t second = 0;
  double second_share = 0.5;  // of those with a preference
  Interval fixed{0, 1};       // of it: score interval
  double p = 1;               // fixed: two-sided sign test, exact
  AlwaysValid always{{0, 1}, 1};
};
Preference preference(const state::ArmSums& sums, double best_at, double alpha = kAlpha);

}  // namespace millrace::processors
