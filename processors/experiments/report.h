#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processors/experiments/statistics.h"

namespace millrace::processors {

// What an experiment has come to.
enum class Verdict : std::uint8_t {
  kTooFewPeople,         // in some variant: fewer than minimum_sample_size
  kSampleRatioMismatch,  // people are not where the shares say: nothing can be concluded
  kUndecided,
  kDecided,  // Report::winner says for which variant
};
std::string_view verdict_name(Verdict verdict);  // "too_few_people" …

// A variant against the first one, by one metric.
struct Comparison {
  std::uint32_t variant = 0;
  SuccessMetric metric{};
  Difference difference;
};

struct Report {
  std::vector<state::ArmSums> arms;      // by variant; of interleaving all in one
  double sample_ratio_p = 1;             // 1 for interleaving
  std::vector<Comparison> comparisons;   // by metric, then variant; none for interleaving
  std::optional<Preference> preference;  // of interleaving
  Verdict verdict = Verdict::kTooFewPeople;
  std::optional<std::uint32_t> winner;  // number of the variant, where decided
  std::string summary;                  // the verdict in words
};

// Decided is by the first metric and its always valid p-value: a variant wins when it is better
// than the first one (of several the one with the largest difference), the first one when all
// others are worse. The chance of a wrong decision, kAlpha, is shared between the comparisons
// (Bonferroni), and all intervals between variants are that much wider.
Report report_of(const Experiment& experiment, std::vector<state::ArmSums> sums);

}  // namespace millrace::processors
