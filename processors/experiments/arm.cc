#include "processors/experiments/arm.h"

#include <string>
#include <utility>

#include "processors/experiments/interleave.h"
#include "processors/rankers/arrange.h"
#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

constexpr VariantOption kOptions[] = {
    {"feed_category", &RankingOptions::feed_category, 0, 1'000},
    {"feed_tag", &RankingOptions::feed_tag, 0, 1'000},
    {"feed_view", &RankingOptions::feed_view, 0, 1'000},
    {"feed_like", &RankingOptions::feed_like, 0, 1'000},
    {"feed_share", &RankingOptions::feed_share, 0, 1'000},
    {"feed_trend", &RankingOptions::feed_trend, 0, 1'000},
    {"feed_random", &RankingOptions::feed_random, 0, 1'000},
    {"rising_prior", &RankingOptions::rising_prior, 1, 1'000'000},
    {"rotate_factor", &RankingOptions::rotate_factor, 0, 1},
    {"similarity_shrink", &RankingOptions::similarity_shrink, 0, 1'000'000},
};

Ranked rank_variant(const Variant& variant, const Query& query, const ReadState& state,
                    const Ranker& otherwise) {
  const auto* ranker = find_ranker(variant.algorithm);
  if (ranker == nullptr) ranker = &otherwise;
  if (variant.options.empty()) return rank_arranged(*ranker, query, state);
  ReadState changed = state;
  for (const auto& [name, value] : variant.options) {
    for (const auto& option : kOptions) {
      if (option.name == name) changed.options.*option.member = value;
    }
  }
  return rank_arranged(*ranker, query, changed);
}

}  // namespace

std::span<const VariantOption> variant_options() { return kOptions; }

std::uint32_t arm_of(const Experiment& experiment, std::string_view user) {
  // Two hashes, so that who is in the first variant of one experiment says nothing of another.
  const auto hash = mix(text_hash(user) ^ mix(text_hash(experiment.id)));
  const auto place = (hash >> 32) * kWholeTraffic >> 32;
  std::uint64_t end = 0;
  std::uint32_t last = 0;  // with a share
  for (std::uint32_t i = 0; i < experiment.variants.size(); ++i) {
    const auto share = experiment.variants[i].share;
    end += share;
    if (place < end) return i;
    if (share > 0) last = i;
  }
  return last;
}

std::optional<ExperimentArm> experiment_arm(const state::CatalogView& catalog, const UserId& user,
                                            UnixMillis now) {
  if (user.value.empty()) return std::nullopt;
  auto running = catalog.experiments().running(now);
  if (!running) return std::nullopt;
  ExperimentArm arm{std::move(running)};
  if (!arm.interleaves()) arm.number = arm_of(arm.asked(), user.value);
  return arm;
}

ArmAnswer rank_in(const ExperimentArm& arm, const Query& query, const ReadState& state,
                  const Ranker& otherwise) {
  const auto& variants = arm.asked().variants;
  if (!arm.interleaves()) {
    return {rank_variant(variants[arm.number], query, state, otherwise), {}};
  }
  auto both =
      interleave(rank_variant(variants[0], query, state, otherwise),
                 rank_variant(variants[1], query, state, otherwise), query.limit, query.seed);
  return {std::move(both.ranked), std::move(both.second)};
}

}  // namespace millrace::processors
