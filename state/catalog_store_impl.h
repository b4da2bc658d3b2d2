#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "schemas/catalog_record.h"
#include "state/accounts.h"
#include "state/address_blocks.h"
#include "state/blends.h"
#include "state/catalog_keys.h"
#include "state/catalog_numbers.h"
#include "state/catalog_store.h"
#include "state/command_outcomes.h"
#include "state/currencies.h"
#include "state/experiments.h"
#include "state/fact_rows.h"
#include "state/genres.h"
#include "state/journal.h"
#include "state/ranking_rules.h"

namespace millrace::state {

inline constexpr std::size_t kOutcomesKept = 100'000;
inline constexpr std::size_t kTrailKept = 20'000;
inline constexpr std::size_t kAnomaliesKept = 1'000;
inline constexpr std::size_t kReportsKept = 400;
inline constexpr std::size_t kMaxAncestors = 16;  // of an item

// How far the catalog's log has been folded in, and what came last.
struct CatalogProgress {
  Offset next_offset = 0;
  std::uint64_t last_record_hash = 0;
  UnixMillis log_time = 0;
};

// The inside of CatalogStore: catalog_store.cc opens and reads, catalog_apply.cc applies records,
// those of stores and products with catalog_shops.cc.
struct CatalogStore::Impl {
  Impl(std::unique_ptr<Db> opened, NameTable& items, CatalogNames& names, Metrics& metrics)
      : db(std::move(opened)),
        item_names(items),
        builder(items, names),
        records(metrics.counter("millrace_catalog_records_applied_total",
                                "Records of the catalog log applied")),
        dead(metrics.counter("millrace_catalog_dead_letters_total",
                             "Records of the catalog log that could not be decoded")),
        item_gauge(metrics.gauge("millrace_catalog_items", "Items in the catalog")) {}

  std::unique_ptr<Db> db;
  NameTable& item_names;
  CatalogViewBuilder builder;
  Counter& records;
  Counter& dead;
  Gauge& item_gauge;

  // The writer's alone.
  CatalogProgress progress;
  FactRows rows;
  CatalogNumbers numbers{rows};
  Accounts accounts{rows, numbers};
  Genres genres{rows, numbers};
  Currencies currencies{rows};
  Experiments experiments{rows};
  RankingRules ranking_rules{rows};
  Datasets datasets{rows, numbers};
  PersonNotes notes{rows};
  Blends blends{rows};
  AddressBlocks blocks{rows};
  FactRows::Rows ready;  // published, to be committed
  Digest ready_sum;      // of the facts, as of the last publish
  std::set<ItemIndex> touched;

  mutable std::mutex mutex;  // over what follows
  std::shared_ptr<const CatalogView> view;
  std::shared_ptr<const AccountsView> accounts_view;
  std::shared_ptr<const GenresView> genres_view;
  std::shared_ptr<const BlocksView> blocks_view;
  std::shared_ptr<const Rates> rates_view;
  std::shared_ptr<const DatasetsView> datasets_view;
  std::shared_ptr<const PersonNotesView> notes_view;
  std::shared_ptr<const KeptBlend> blend_view;
  CatalogProgress published;
  Digest committed_sum;
  CommandOutcomes outcomes{kOutcomesKept};
  std::vector<Demand> demands;
  Journal trail{catalog_keys::kTrail, kTrailKept};
  Journal anomalies{catalog_keys::kAnomaly, kAnomaliesKept};
  Journal reports{catalog_keys::kReport, kReportsKept};
  std::size_t memory = 0;

  Status load();
  Status load_items();
  Status load_people();
  Status load_outcomes();
  Status load_access();
  Status load_uploads();
  struct Change;
  std::optional<CommandOutcome> refuse_parent(const Item& item) const;
  CommandOutcome put_item(Offset offset, UnixMillis log_time, const Item& item);
  CommandVerdict mint_item(Offset offset, UnixMillis log_time, Item item);
  CommandOutcome delete_item(Offset offset, const ItemId& id);
  CommandVerdict put_genre(Offset offset, UnixMillis log_time, const PutGenre& put);
  CommandVerdict delete_genre(Offset offset, UnixMillis log_time, GenreId id);
  void replace_genre(Offset offset, UnixMillis log_time, const std::string& from,
                     const std::string& to);
  const CatalogItem* find_item(const std::string& id) const;
  bool admin(AccountId by) const;
  bool may_change(AccountId by, const CatalogItem* store) const;
  tl::expected<ItemId, CommandOutcome> store_for(const PutProduct& put) const;
  CommandVerdict put_store(Offset offset, UnixMillis log_time, const PutStore& put);
  CommandVerdict put_product(Offset offset, UnixMillis log_time, const PutProduct& put);
  CommandVerdict delete_owned(Offset offset, const DeleteOwned& gone);
  void delete_stores_of(Offset offset, AccountId owner);
  CommandOutcome demand(Offset offset, const UserId& user, const UserId& into = UserId());
  CommandOutcome merge(Offset offset, const MergePeople& people);
  std::shared_ptr<const CatalogView> build_view();
  void raise_highest(const ItemId& id);
  void remember(std::string_view command_id, CommandVerdict verdict);
  void tell(Offset offset, UnixMillis log_time, const CatalogRecord& record,
            const CommandVerdict& verdict);
  CommandVerdict notice(Offset offset, UnixMillis log_time, const Notice& notice);
  void refuse(Offset offset, UnixMillis log_time, std::string_view record, const Error& why);
  std::string applied_row() const;
};

}  // namespace millrace::state
