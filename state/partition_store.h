#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory_part.h"
#include "base/metrics.h"
#include "base/result.h"
#include "schemas/event.h"
#include "schemas/interaction_view.h"
#include "state/attribution.h"
#include "state/duplicates.h"
#include "state/item_cells.h"
#include "state/item_index.h"
#include "state/pages.h"
#include "state/profile.h"
#include "state/rocks.h"
#include "state/tracked_read.h"

namespace millrace::state {

// How far a partition's log has been folded in, and what came last.
struct Applied {
  Offset next_offset = 0;
  std::uint64_t last_record_hash = 0;  // XXH3 of the last record's bytes; 0 when none
  UnixMillis log_time = 0;             // of the last record; never falls
  Offset carried_catalog_offset = -1;  // demands of the catalog up to this one have been applied
  friend bool operator==(const Applied&, const Applied&) = default;
};

struct DeadLetter {
  Offset offset = 0;
  UnixMillis log_time = 0;
  std::string reason;
  std::string record;  // the log record's bytes
  std::string user;    // empty when the record does not say
};

// A person as readers get one: facts and the profile that was made from them (which may be absent
// or out of date: see processors/views/profiles.h).
struct PersonView {
  std::shared_ptr<const Person> person;
  std::shared_ptr<const Profile> profile;
};

// A position in a person's history: newest first. `before` is the offset to continue below.
struct HistoryQuery {
  std::size_t limit = 50;
  Offset before = INT64_MAX;
  UnixMillis from = INT64_MIN;  // event time, inclusive
  UnixMillis to = INT64_MAX;
  std::uint32_t type = 0;             // 0: every type
  UnixMillis keep_after = INT64_MIN;  // log time: older entries are beyond retention
};
struct HistoryItem {
  Offset offset = 0;
  UnixMillis log_time = 0;
  std::uint32_t type = 0;
  ItemIndex item = kNoItem;
  Event event;  // user and item as text, type empty
};

// A person whom the writer will ask for, and the item that it is about, where it has a number.
struct Expected {
  std::string_view user;
  std::optional<ItemNumber> item;
};

class Commit;  // frozen changes on their way to RocksDB: state/commit.h

// The facts of one partition (and the views kept beside them): in memory what is hot, in RocksDB
// what is committed. One writer thread changes and publishes; one commit thread writes; any thread
// reads.
//
// The writer's cycle:   prefetch(people of a batch) → change …  → publish() → (now and then)
// freeze() The commit thread's:  write(commit) — one WriteBatch with pages, new identities, dead
// letters, applied.
//
// A working copy is cloned on first touch since the last publish and swapped in by publish():
// readers see whole batches only. Dirty people are never evicted.
class PartitionStore {
 public:
  struct Options {
    std::string directory;
    std::uint16_t partition = 0;
    std::size_t cache_bytes = 64u << 20;  // for people in memory
    Db::Mode mode = Db::Mode::kReadWrite;
  };
  // Loads applied, ruleset, dictionary, item statistics and the duplicate window. `items` and
  // `shared` outlive the store, and so do `names` and `metrics`. kCorrupt; kInvalid when the stored
  // format is newer than this program.
  static Result<std::unique_ptr<PartitionStore>> open(const Options& options,
                                                      const RocksShared& shared, NameTable& items,
                                                      CatalogNames& names, Metrics& metrics);
  ~PartitionStore();

  // ---- the writer's ----
  // Loads those people into memory, in one round to RocksDB. To be called before they are touched,
  // which is best done in that order.
  Status prefetch(std::span<const Expected> people);
  // nullptr: no such person. The result is this cycle's working copy if there is one.
  const Person* person(std::string_view user) const;
  Person& change_person(std::string_view user);  // created when absent
  void set_profile(std::string_view user, std::shared_ptr<const Profile> profile);
  const Profile* profile(std::string_view user) const;
  void erase_person(
      std::string_view user);  // pages, history, profile and dead letters; not the sums

  ItemNumber number_of(std::string_view item);  // enters it into the dictionary when new
  // Its number if it has one; what change_item() needs of it is fetched from memory.
  std::optional<ItemNumber> expect_item(std::string_view item) const;
  ItemStats& change_item(ItemNumber item);
  Duplicates& duplicates();
  // `person` is what change_person answered, here and below.
  void append_history(Person& person, Offset offset, UnixMillis log_time,
                      const InteractionView& interaction, ItemNumber item);
  // Both are about state/tracked.h; `keep_ms`: retention of the interaction's type, 0: for ever.
  void track(Person& person, Offset offset, UnixMillis log_time, const InteractionView& interaction,
             ItemNumber item, std::int64_t keep_ms);
  void expire_tracked(std::string_view user, Offset offset, UnixMillis log_time,
                      const std::vector<TypeRetention>& retention);
  void drop_history_before(Person& person,
                           UnixMillis log_time);  // sealed pages that are wholly older
  void add_dead_letter(DeadLetter letter);
  void set_ruleset(const Ruleset& ruleset);
  Attribution& attribution();         // kByHour
  Attribution& recent_attribution();  // kByMinute
  TrialSums& trials();
  Applied& applied();

  // Makes all changes so far visible. Returns the items whose statistics changed since the last
  // call.
  std::vector<ItemIndex> publish();
  std::size_t dirty_bytes() const;  // about what a commit would write now
  // Everything published since the last freeze, for write(). Call right after publish(). Null when
  // nothing changed.
  std::shared_ptr<const Commit> freeze();

  // ---- the commit thread's ----
  // In order of freezing. Updates the digest. After a failure (disk full, I/O) the store stays
  // readable; reopen the database and write the same commit again.
  Status write(const Commit& commit);
  // Digest of the facts as of the last written commit, with its offset.
  std::pair<Offset, Digest> digest() const;
  // Digests kept for offsets that are multiples of 65,536.
  Result<std::optional<Digest>> digest_at(Offset offset) const;

  // ---- any thread's ----
  Result<PersonView> read(std::string_view user) const;
  // Offers a profile made by a reader; kept while the person's facts have not moved on.
  void offer_profile(std::string_view user, const PersonView& made_from,
                     std::shared_ptr<const Profile> profile) const;
  Result<std::vector<HistoryItem>> history(std::string_view user, const HistoryQuery& query) const;
  Result<TrackedReader> tracked(std::string_view user) const;
  // Those in RocksDB with days of tracked rows that are wholly beyond retention, at most `limit`.
  Result<std::vector<std::string>> people_to_expire(UnixMillis now,
                                                    const std::vector<TypeRetention>& retention,
                                                    std::size_t limit) const;
  std::optional<FirstSeen> first_seen(
      const Identity& identity) const;  // as of the last applied record
  ItemIndex index_of(ItemNumber item) const;
  const ItemCells& cells() const;
  const Attribution& attribution() const;
  const TrialSums& trials() const;
  const Attribution& recent_attribution() const;
  Ruleset ruleset() const;
  Applied published() const;  // as of the last publish()
  Result<std::vector<DeadLetter>> dead_letters(Offset from, std::size_t limit) const;
  // Every person in RocksDB (committed state), in key order, until `visit` answers false.
  Status for_each_person(
      const std::function<bool(std::string_view user, const Person&)>& visit) const;
  // Recomputes the digest from the stored rows.
  Result<Digest> scan_digest() const;
  // Every row that counts as a fact, for comparing two stores row by row.
  Status for_each_fact(
      const std::function<bool(std::string_view key, std::string_view value)>&) const;
  std::uint16_t partition() const;
  double dedupe_window_hours() const;
  const Db& db() const;
  Db& db();
  std::vector<MemoryPart> memory_parts() const;  // people, items, duplicates

 private:
  struct Impl;
  explicit PartitionStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::state
