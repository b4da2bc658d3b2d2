#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "schemas/item.h"
#include "state/accounts.h"
#include "state/address_blocks.h"
#include "state/blends.h"
#include "state/catalog_view.h"
#include "state/command_outcomes.h"
#include "state/currencies.h"
#include "state/datasets.h"
#include "state/digest.h"
#include "state/genres.h"
#include "state/journal.h"
#include "state/person_notes.h"
#include "state/rocks.h"

namespace millrace::state {

// A demand of the catalog on one person's partition.
struct Demand {
  Offset catalog_offset = 0;
  UserId erase;
  UserId into{};  // whose events theirs become before; empty: nobody's
};

struct CatalogDeadLetter {
  Offset offset = 0;
  UnixMillis log_time = 0;
  std::string reason;
  std::string record;  // the log record's bytes
};

// The facts of the `catalog` log, and their newest view. One writer thread applies and publishes;
// any thread reads. The catalog is wholly in memory as a view; RocksDB keeps it for the next start.
class CatalogStore {
 public:
  struct Options {
    std::string directory;
    Db::Mode mode = Db::Mode::kReadWrite;
  };
  static Result<std::unique_ptr<CatalogStore>> open(const Options& options,
                                                    const RocksShared& shared, NameTable& items,
                                                    CatalogNames& names, Metrics& metrics);
  ~CatalogStore();

  // ---- the writer's ----
  // Applies the record at `offset`; below next_offset() it has no effect. A record that cannot be
  // decoded becomes a dead letter (reason and bytes kept) and the offset moves on.
  void apply(Offset offset, UnixMillis log_time, std::string_view record);
  // Makes everything applied visible; returns the items that were put or deleted since the last
  // call.
  std::vector<ItemIndex> publish();
  // Writes everything published in one WriteBatch with the offset.
  Status commit();

  // ---- any thread's ----
  std::shared_ptr<const CatalogView> view() const;
  std::shared_ptr<const AccountsView> accounts() const;
  std::shared_ptr<const GenresView> genres() const;
  std::shared_ptr<const BlocksView> blocks() const;
  std::shared_ptr<const Rates> rates() const;  // of currencies
  std::shared_ptr<const DatasetsView> datasets() const;
  std::shared_ptr<const PersonNotesView> person_notes() const;
  std::shared_ptr<const KeptBlend> blend() const;
  Offset next_offset() const;              // as of the last publish
  std::uint64_t last_record_hash() const;  // XXH3 of the record below next_offset; 0 when none
  UnixMillis log_time() const;             // of that record
  // Of the last 100,000 commands.
  std::optional<CommandVerdict> verdict(std::string_view command_id) const;
  std::optional<CommandOutcome> outcome(std::string_view command_id) const;
  // Ascending by offset.
  std::vector<Demand> demands_after(Offset catalog_offset, std::size_t limit) const;
  // In use ever, of `kind:number`; 0: none.
  std::uint64_t highest_number(std::string_view kind) const;
  std::uint64_t highest_user() const;  // of accounts, and reserved for users of events
  // Newest first: changes by administrators and keys (the last 20,000), addresses that behaved
  // unlike themselves (1,000), reports of audits (400).
  std::vector<JournalEntry> trail(const JournalQuery& query, std::size_t limit) const;
  std::vector<JournalEntry> anomalies(const JournalQuery& query, std::size_t limit) const;
  std::vector<JournalEntry> reports(const JournalQuery& query, std::size_t limit) const;
  Result<std::vector<CatalogDeadLetter>> dead_letters(Offset from, std::size_t limit) const;
  Digest digest() const;  // of the stored facts as of the last commit
  Result<Digest> scan_digest() const;
  Status for_each_fact(
      const std::function<bool(std::string_view key, std::string_view value)>&) const;
  Db& db();
  std::size_t memory_bytes() const;

 private:
  struct Impl;
  explicit CatalogStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::state
