#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace millrace {

namespace proto {
class Experiment;
}

// What an experiment does with its variants. Stored: never change a number.
enum class ExperimentKind : std::uint8_t {
  kAb = 0,            // each person gets the answers of one variant
  kInterleaving = 1,  // everybody gets answers that two variants take turns to fill
};

// The whole of an experiment's traffic, in the unit of Variant::share.
inline constexpr std::uint32_t kWholeTraffic = 1'000'000;

// One of the ways to answer that an experiment compares.
struct Variant {
  std::string name;
  std::string algorithm;
  std::vector<std::pair<std::string, double>> options;  // of ranking, by name; others as they are
  std::uint32_t share = 0;                              // of kWholeTraffic

  friend bool operator==(const Variant&, const Variant&) = default;
};

// An experiment as it was asked for.
struct Experiment {
  std::string id;
  std::string name;
  ExperimentKind kind = ExperimentKind::kAb;
  std::vector<Variant> variants;     // 2 or more, the first is what the others are compared with;
                                     // their shares are kWholeTraffic together
  std::vector<std::string> metrics;  // 1 or more, the first decides
  UnixMillis start = 0;
  UnixMillis end = 0;                     // not included
  std::uint64_t minimum_sample_size = 0;  // people in each variant before anything is concluded

  friend bool operator==(const Experiment&, const Experiment&) = default;
};

inline constexpr std::size_t kMaxVariants = 10;

// ---- Changes in the catalog's log.

// Refused (kNameTaken) when there is or was one of that id.
struct PutExperiment {
  Experiment experiment;
  friend bool operator==(const PutExperiment&, const PutExperiment&) = default;
};

// For good; stopping one that has stopped changes nothing.
struct StopExperiment {
  std::string id;
  friend bool operator==(const StopExperiment&, const StopExperiment&) = default;
};

// The stored form (protobuf, schemas/proto/records.proto) and back: kCorrupt for what is none.
void fill(proto::Experiment& message, const Experiment& experiment);
Result<Experiment> experiment_of(const proto::Experiment& message);

}  // namespace millrace
