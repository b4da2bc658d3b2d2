#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace millrace::state {

// What stands for an experiment's id in facts: XXH3.
std::uint64_t experiment_key(std::string_view id);

// What came of an experiment's answers to one person. People are what is drawn at random, so that
// everything is summed up by person.
struct Trial {
  std::uint64_t experiment = 0;  // experiment_key of its id
  std::uint32_t arm = 0;         // number of the variant; of interleaving 0
  UnixMillis shown = 0;          // log time of the last answer
  std::uint32_t exposures = 0;   // answers
  std::uint32_t clicks = 0;      // those of them that were clicked
  std::uint32_t conversions = 0;
  // Items that were clicked, each once an answer; of interleaving, by the variant that put them
  // there.
  std::array<std::uint32_t, 2> credits{};
  friend bool operator==(const Trial&, const Trial&) = default;
};

// Counted is what happens at most so long behind a person's last answer, by log time.
inline constexpr UnixMillis kTrialWindowMs = 24LL * 3600 * 1000;
// Experiments that a person remembers. What is known of an older one stays counted, and is not
// taken away with the person.
inline constexpr std::size_t kTrialsKept = 16;

// Sums over a variant's people of integer functions of their trials. Sums wrap, so that what was
// added can always be taken away.
struct ArmSums {
  std::uint64_t people = 0;
  std::uint64_t exposures = 0;
  std::uint64_t exposures_squared = 0;
  std::uint64_t clicks = 0;
  std::uint64_t clicks_squared = 0;
  std::uint64_t exposures_clicks = 0;
  std::uint64_t clickers = 0;  // people with a click
  std::uint64_t conversions = 0;
  std::uint64_t conversions_squared = 0;
  std::uint64_t converters = 0;  // people with a conversion
  std::uint64_t first_credits = 0;
  std::uint64_t second_credits = 0;
  std::uint64_t credits_squared = 0;  // of first - second
  std::uint64_t prefer_first = 0;     // people with more credits of the first
  std::uint64_t prefer_second = 0;
  friend bool operator==(const ArmSums&, const ArmSums&) = default;
};

// Adds (sign = 1) or takes away (sign = -1) what a person's trial stands for.
void contribute(ArmSums& sums, const Trial& trial, int sign);
void add(ArmSums& sums, const ArmSums& others);  // of other partitions

using ExperimentSums =
    std::vector<ArmSums>;  // by number of the variant, as far as there are people

// The experiments' part of a commit; no sums: the row goes, as if there had never been anybody.
struct FrozenTrials {
  std::map<std::uint64_t, ExperimentSums> experiments;
};

// A partition's sums. read() is thread-safe; the rest is the writer's.
class TrialSums {
 public:
  void restore(std::uint64_t experiment, ExperimentSums sums);

  // A person's trial has become `after`; null: there was or is none.
  void replace(const Trial* before, const Trial* after);
  FrozenTrials freeze();

  ExperimentSums read(std::uint64_t experiment) const;

 private:
  ArmSums& of(const Trial& trial);

  mutable std::mutex lock_;
  std::map<std::uint64_t, ExperimentSums> sums_;
  std::set<std::uint64_t> dirty_;  // changed since the last freeze
};

}  // namespace millrace::state
