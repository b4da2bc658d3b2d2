#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "processors/rankers/list.h"
#include "processors/rankers/ranker.h"
#include "state/experiments.h"

namespace millrace::processors {

// The part of a running experiment that answers one person.
struct ExperimentArm {
  std::shared_ptr<const state::KeptExperiment> experiment;
  std::uint32_t number = 0;  // of the variant; of interleaving 0

  const Experiment& asked() const { return experiment->asked; }
  bool interleaves() const { return asked().kind == ExperimentKind::kInterleaving; }
};

// Nothing: no experiment runs, or nobody is named. Depends on the experiment's id, its shares and
// the user's id alone: every node, and one that has started anew, answers the same.
std::optional<ExperimentArm> experiment_arm(const state::CatalogView& catalog, const UserId& user,
                                            UnixMillis now);
// The number of the variant that a person is in, whether it runs or not: a hash of experiment and
// user says where in the whole traffic they are, and variants have their shares of it in order.
std::uint32_t arm_of(const Experiment& experiment, std::string_view user);

// What an experiment shows a person.
struct ArmAnswer {
  Ranked ranked;
  std::vector<bool> second;  // of interleaving, by item: the second variant put it there
};
// `otherwise` stands in for an algorithm that this program does not have.
ArmAnswer rank_in(const ExperimentArm& arm, const Query& query, const ReadState& state,
                  const Ranker& otherwise);

// What a variant may set beside its algorithm: a number of RankingOptions within [least, most].
struct VariantOption {
  std::string_view name;
  double RankingOptions::*member;
  double least = 0;
  double most = 0;
};
std::span<const VariantOption> variant_options();

}  // namespace millrace::processors
