#include "app/engine_options.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "schemas/interaction_table.h"

namespace millrace::app {
namespace {

// Shares of the memory budget: for the duplicate windows of all partitions, with what an id takes,
// and for a training.
constexpr std::uint64_t kDedupeShare = 8;
constexpr std::uint64_t kTrainingShare = 8;
constexpr std::uint64_t kBytesPerId = 48;

Ruleset proposed_ruleset(const ServeConfig& config) {
  Ruleset ruleset;
  ruleset.short_half_life_ms = config.rules.short_half_life_ms;
  ruleset.long_half_life_ms = config.rules.long_half_life_ms;
  ruleset.dedupe_ids = config.rules.dedupe_ids != 0 ? config.rules.dedupe_ids
                                                    : config.memory_bytes / kDedupeShare /
                                                          kBytesPerId / config.log.partitions;
  ruleset.dedupe_ms = config.rules.dedupe_window_ms;
  ruleset.history_retention_ms = config.rules.history_retention_ms;
  const InteractionTable table;
  for (const auto& [type, days] : config.rules.retention) {
    ruleset.tracked_retention.push_back({table.find(type)->number, days * 86'400'000LL});
  }
  std::sort(ruleset.tracked_retention.begin(), ruleset.tracked_retention.end(),
            [](const auto& a, const auto& b) { return a.type < b.type; });
  return ruleset;
}

processors::RankingOptions ranking_options(const ServeConfig& config) {
  processors::RankingOptions ranking;
  ranking.short_half_life_ms = config.rules.short_half_life_ms;
  ranking.long_half_life_ms = config.rules.long_half_life_ms;
  ranking.feed_category = config.feed.category;
  ranking.feed_tag = config.feed.tag;
  ranking.feed_view = config.feed.view;
  ranking.feed_like = config.feed.like;
  ranking.feed_share = config.feed.share;
  ranking.feed_trend = config.feed.trend;
  ranking.feed_trend_s0 = config.feed.trend_half;
  ranking.feed_random = config.feed.jitter;
  ranking.feed_in_a_row = config.feed.in_a_row;
  ranking.feed_rest_ms = config.feed.rest_ms;
  ranking.rotate_after = config.feed.rotate_after;
  ranking.rotate_factor = config.feed.rotate_factor;
  ranking.rotate_recover_ms = config.feed.rotate_recover_ms;
  ranking.neighbour_cells = config.models.neighbour_cells;
  return ranking;
}

processors::PrequentialOptions prequential_options(const ModelsConfig& models) {
  processors::PrequentialOptions options;
  options.per_second = models.predictions_per_second;
  options.share = models.predicted_share;
  options.learn = models.learn_blend;
  options.put_ms = models.blend_every_ms;
  return options;
}

}  // namespace

std::string train_program_beside() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "millrace-train").string();
}

std::uint32_t or_all_cores(std::uint32_t threads) {
  return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

processors::EngineOptions engine_options(const ServeConfig& config, const DataFolders& folders) {
  processors::EngineOptions options;
  options.directory = folders.state;
  options.apply_threads = static_cast<int>(or_all_cores(config.apply.threads));
  options.commit = {static_cast<int>(config.apply.commit_interval_ms), config.apply.commit_events,
                    config.apply.commit_dirty_bytes};
  options.memory_bytes = config.memory_bytes - log_memory_bytes(config);
  options.proposed = proposed_ruleset(config);
  options.interaction_weights = config.rules.interactions;
  options.ranking = ranking_options(config);
  options.prequential = prequential_options(config.models);
  return options;
}

processors::Trainer::Options trainer_options(const ServeConfig& config,
                                             const DataFolders& folders) {
  processors::Trainer::Options options;
  options.folder = folders.models;
  options.clusters = config.models.clusters;
  options.again = config.models.train_every;
  options.linear_again = config.models.linear_every;
  options.linear.max_items = config.models.linear_items;
  options.linear.max_bytes = config.models.linear_bytes != 0 ? config.models.linear_bytes
                                                             : config.memory_bytes / kTrainingShare;
  options.change = config.models.train_change;
  options.train_program =
      config.models.train_program.empty() ? train_program_beside() : config.models.train_program;
  options.train_threads = static_cast<int>(std::max(1u, or_all_cores(0) / 2));  // requests go first
  return options;
}

}  // namespace millrace::app
