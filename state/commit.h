#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/event.h"
#include "state/attribution.h"
#include "state/dead_letters.h"
#include "state/items.h"
#include "state/page_codec.h"
#include "state/partition_store.h"
#include "state/people.h"

namespace millrace::state {

// What PartitionStore::freeze() took: immutable values, and where they belong.
class Commit {
 public:
  Offset next_offset() const { return applied.next_offset; }

  std::vector<FrozenPerson> people;
  FrozenItems items;
  std::vector<Duplicates::Entry> identities;  // new ones, the first of them being number
  std::uint64_t first_identity = 0;           // first_identity
  std::uint64_t oldest_identity = 0;          // still in the window
  Duplicates::Floor ids_floor;
  FrozenLetters letters;
  std::optional<Ruleset> ruleset;  // when it changed
  FrozenAttribution attribution;
  FrozenTrials trials;
  FrozenAttribution recent;
  Applied applied;
  Status fault;  // the writer's: then nothing of this may be written
};

// Turns commits into WriteBatches, and keeps the digest of what they leave. One thread: the commit
// thread; digest() is thread-safe.
class CommitWriter {
 public:
  CommitWriter(Db& db, const Items& items, const CatalogNames& names)
      : db_(db), items_(items), names_(names) {}

  // On opening, from the stored rows.
  void restore(Offset offset, const Digest& digest);
  void restore_chunk(std::uint32_t number, const Digest& stored);
  void restore_dictionary_page(std::uint32_t number, const Digest& stored);
  void restore_ruleset(const Digest& stored) { ruleset_digest_ = stored; }
  void restore_attribution(std::string_view key, const Digest& stored) {
    attribution_digests_[std::string(key)] = stored;
  }
  void restore_experiment(std::uint64_t key, const Digest& stored) {
    experiment_digests_[key] = stored;
  }
  void restore_identities(std::uint64_t first, std::uint64_t count);

  // After a failure the same commit may be written again, once the database has been reopened.
  Status write(const Commit& commit);
  std::pair<Offset, Digest> digest() const;
  std::uint64_t rows_written() const { return rows_written_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  Status build(const Commit& commit);
  // A row that counts as a fact; answers its digest.
  Digest put_fact(std::string_view key, std::string_view value);
  void replace_fact(std::string_view key, std::string_view value, Digest& stored);
  Status add_person(const FrozenPerson& frozen);
  void drop_row_pages(std::string_view user, const Person& person);
  void add_row_pages(std::string_view user, const Person* before, const Person& now);
  Status add_history(std::string_view user, const Person* before, const Person* now, bool reborn);
  Status drop_history(std::string_view user, std::uint32_t from, std::uint32_t to);
  Status add_tracked(std::string_view user, const Person* before, const Person* now, bool reborn);
  Status drop_tracked(std::string_view user);
  void add_profile(const FrozenPerson& frozen);
  void add_items(const FrozenItems& items);
  void add_attribution(std::string_view prefix, const FrozenAttribution& attribution);
  void add_trials(const FrozenTrials& trials);
  void add_identities(const Commit& commit);
  Status add_letters(const FrozenLetters& letters);
  void add_position(const Commit& commit);

  Db& db_;
  const Items& items_;
  const CatalogNames& names_;
  PageEncoder encoder_;
  WriteBatch batch_;
  Digest working_;
  std::vector<Digest> chunk_digests_;
  std::vector<Digest> dictionary_digests_;
  Digest ruleset_digest_;
  std::map<std::string, Digest> attribution_digests_;  // by key
  std::map<std::uint64_t, Digest> experiment_digests_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> blocks_;  // [first, end) of stored identities
  std::uint64_t rows_written_ = 0;
  std::uint64_t bytes_written_ = 0;
  bool broken_ = false;
  bool built_ = false;  // batch_ is a commit whose write has not succeeded yet
  mutable std::mutex lock_;
  Offset offset_ = 0;
  Digest digest_;
};

}  // namespace millrace::state
