#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "schemas/item.h"
#include "state/catalog_store.h"
#include "state/command_outcomes.h"

namespace millrace::state {

inline constexpr std::size_t kOutcomesKept = 100'000;

// How far the catalog's log has been folded in, and what came last.
struct CatalogProgress {
  Offset next_offset = 0;
  std::uint64_t last_record_hash = 0;
  UnixMillis log_time = 0;
};

// The inside of CatalogStore: catalog_store.cc opens and reads, catalog_apply.cc applies records.
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
  // Rows to write, the newest of each key; nothing: to be deleted.
  using Rows = std::map<std::string, std::optional<std::string>, std::less<>>;
  Rows working;                                          // since the last publish
  Rows ready;                                            // published, to be committed
  Digest sum;                                            // of the facts, with everything applied
  Digest ready_sum;                                      // the same as of the last publish
  std::unordered_map<std::string, Digest> fact_digests;  // by key, of each fact's row
  std::set<ItemIndex> touched;

  mutable std::mutex mutex;  // over what follows
  std::shared_ptr<const CatalogView> view;
  CatalogProgress published;
  Digest committed_sum;
  CommandOutcomes outcomes{kOutcomesKept};
  std::vector<Demand> demands;
  std::map<std::string, std::uint64_t, std::less<>> highest;
  std::size_t memory = 0;

  Status load();
  Status load_items();
  Status load_rest();
  CommandOutcome change(Offset offset, UnixMillis log_time, const CatalogRecord& record);
  CommandOutcome put_item(Offset offset, UnixMillis log_time, const Item& item);
  CommandOutcome delete_item(Offset offset, const ItemId& id);
  CommandOutcome demand(Offset offset, const UserId& user);
  void raise_highest(const ItemId& id);
  void put_fact(std::string key, std::string value);
  void erase_fact(const std::string& key);
  void remember(std::string_view command_id, CommandOutcome outcome);
  void refuse(Offset offset, UnixMillis log_time, std::string_view record, const Error& why);
  std::string applied_row() const;
};

}  // namespace millrace::state
