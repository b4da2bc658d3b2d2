#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/memory_part.h"
#include "base/metrics.h"
#include "base/result.h"
#include "processors/apply.h"
#include "processors/rankers/ranker.h"
#include "processors/views/cooccurrence.h"
#include "processors/views/fatigue.h"
#include "processors/views/interaction_matrix.h"
#include "processors/views/outcomes.h"
#include "processors/views/ranked_lists.h"
#include "processors/views/ratings_index.h"
#include "processors/views/recent_people.h"
#include "processors/views/recent_popularity.h"
#include "processors/views/sessions.h"
#include "state/catalog_store.h"
#include "state/partition_store.h"

namespace millrace::processors {

// The views that processors keep fresh beside the facts: co-occurrence and profiles event by event,
// from the writers; ranked lists batch by batch, from the publisher. All of them can be rebuilt at
// any time.
class LiveViews final : public ViewSink {
 public:
  // Bytes that may be taken, each.
  struct Budgets {
    std::size_t cooccurrence = 0;
    std::size_t ratings = 0;
    std::size_t matrix = 0;
    std::size_t sessions = 0;
    std::size_t fatigue = 0;
  };
  // The stores outlive the views. `learned_blend`: readers get the catalog's blend; else the chosen
  // one.
  LiveViews(const state::CatalogStore& catalog, std::vector<const state::PartitionStore*> stores,
            const state::NameTable& items, const state::CatalogNames& names,
            const RankingOptions& options, const Budgets& budgets, Metrics& metrics,
            bool learned_blend = true);

  // Everything anew from committed state. Before writers start.
  Status rebuild();
  // What rests on the order of the log alone, from records that are in the state already, in order.
  void replay(std::uint16_t partition, const ingest::StoredRecord& record);

  // ---- from writers ----
  void entered(std::uint16_t partition, std::string_view user, state::ItemIndex item,
               const std::vector<state::ItemIndex>& window) override;
  void visited(const Visit& visit) override;
  void erased(std::uint16_t partition, std::string_view user,
              const std::vector<state::ItemIndex>& sequence, std::uint32_t window) override;
  void settle(std::uint16_t partition) override;
  std::shared_ptr<const state::Profile> changed(
      std::uint16_t partition, const state::Profile* profile, const state::Person& person,
      const state::ItemRow& before, const state::ItemRow& after, state::ItemIndex item) override;

  void rated(const InteractionView& event, Offset offset, state::ItemIndex item) override;
  void forgotten(std::string_view user, state::ItemIndex item) override;
  void seen(std::uint16_t partition, std::string_view user, UnixMillis log_time) override;
  void shown(std::uint16_t partition, const Impression& answer, UnixMillis log_time) override;
  void acted(std::uint16_t partition, const InteractionView& event, Offset offset,
             state::ItemIndex item, UnixMillis log_time) override;

  // ---- from the publisher ----
  void update_lists(const std::vector<state::ItemIndex>& touched);

  // ---- from any thread ----
  // The models that read() answers with from now on.
  void use(std::shared_ptr<const LinearModel> model);
  void use(std::shared_ptr<const SequenceModel> model);
  // What one request reads, taken once; with what is known of `user` and of `session`, where not
  // empty.
  Result<ReadState> read(const std::string& user, const std::string& session) const;
  state::ItemCounts counts(state::ItemIndex item) const;  // over all partitions
  const Cooccurrence& cooccurrence() const { return cooccurrence_; }
  const RatingsIndex& ratings() const { return ratings_; }
  const InteractionMatrix& matrix() const { return matrix_; }
  const RecentPeople& recent_people() const { return recent_people_; }
  const Outcomes& outcomes() const { return outcomes_; }
  const Fatigue& fatigue() const { return fatigue_; }
  const Sessions& sessions() const { return sessions_; }
  std::vector<MemoryPart> memory_parts() const;

 private:
  Status rebuild_sequences(const state::PartitionStore& store);
  std::vector<std::uint32_t> first_genres(const std::string& user) const;
  Status rebuild_from_histories(const state::PartitionStore& store, Sessions::Past& sessions);
  void rebuild_ratings(std::string_view user, const state::Person& person,
                       const std::vector<state::HistoryItem>& history,
                       const state::PartitionStore& store);
  BlendWeights blend() const;
  Result<KnownPerson> known(const std::string& user, const state::CatalogView& catalog) const;

  const state::CatalogStore& catalog_;
  const std::vector<const state::PartitionStore*> stores_;
  const state::NameTable& items_;
  const state::CatalogNames& names_;
  const RankingOptions options_;
  const bool learned_blend_;
  Cooccurrence cooccurrence_;
  std::vector<Cooccurrence::Batch> unsettled_;  // by partition, its writer's
  RatingsIndex ratings_;
  InteractionMatrix matrix_;
  Sessions sessions_;
  RankedListsBuilder lists_;
  RecentPeople recent_people_;
  RecentPopularity recent_popularity_;
  Outcomes outcomes_;
  Fatigue fatigue_;
  Counter& filter_scans_;
  mutable std::mutex models_mutex_;
  std::shared_ptr<const LinearModel> linear_;
  std::shared_ptr<const SequenceModel> deep_learning_;
  mutable std::shared_ptr<const state::KeptBlend> blend_from_;
  mutable BlendWeights blend_;
};

}  // namespace millrace::processors
