#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/partition_store.h"

namespace millrace::state {

// A person in memory. What readers see lies under the shard's lock; only the writer changes
// `published` and `life`, so that it may look at them without; the commit thread alone changes
// `committed` and its companions.
struct PersonEntry {
  std::shared_ptr<const Person> published;  // nullptr: no such person
  std::shared_ptr<const Person> committed;  // as RocksDB has it
  std::shared_ptr<const Profile> profile;
  std::shared_ptr<const Profile> committed_profile;
  std::uint64_t life = 0;  // goes up with every erasure: page numbers begin anew
  std::uint64_t committed_life = 0;
  std::uint32_t frozen = 0;  // commits on their way that hold this entry
  bool used = true;          // since the clock's hand passed

  // The writer's alone.
  const std::string* user = nullptr;
  std::shared_ptr<Person> working;  // with touched: nullptr means erased
  std::shared_ptr<const Profile> working_profile;
  std::shared_ptr<const Profile> seen_profile;  // what profile() has handed out
  std::size_t bytes = 0;
  std::uint8_t shard = 0;
  bool touched = false;          // since the last publish
  bool profile_touched = false;  // since the last publish
  bool queued = false;           // since the last publish
  bool dirty = false;            // since the last freeze
  bool changed = false;          // since it was loaded
};

// One person's part of a commit.
struct FrozenPerson {
  PersonEntry* entry = nullptr;
  std::shared_ptr<const Person> person;
  std::shared_ptr<const Profile> profile;
  std::uint64_t life = 0;
};

// The people of a partition that are in memory: 256 shards of a mutex and a map. Only the writer
// inserts and evicts; dirty people stay.
class People {
 public:
  People(const Db& db, CatalogNames& names, std::size_t cache_bytes);

  // ---- the writer's ----
  Status prefetch(std::span<const std::string_view> users);
  const Person* person(std::string_view user);
  Person& change(std::string_view user);
  std::string_view user_of(const Person& changed) const;  // what change() answered
  void erase(std::string_view user);
  void set_profile(std::string_view user, std::shared_ptr<const Profile> profile);
  const Profile* profile(std::string_view user);
  void publish();
  bool dirty() const { return !dirty_.empty(); }
  std::size_t dirty_bytes() const { return dirty_bytes_; }
  std::vector<FrozenPerson> freeze();
  // The first read that failed where no error could be returned.
  const std::optional<Error>& fault() const { return fault_; }

  // ---- the commit thread's ----
  void mark_committed(std::span<const FrozenPerson> people);

  // ---- any thread's ----
  Result<PersonView> read(std::string_view user) const;
  void offer_profile(std::string_view user, const PersonView& made_from,
                     std::shared_ptr<const Profile> profile) const;
  std::size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::size_t size() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view user) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  struct Shard {
    std::mutex lock;
    std::unordered_map<std::string, PersonEntry, Hash, Equal> entries;
    std::uint64_t changed_evictions = 0;
  };
  static constexpr std::size_t kShards = 256;

  static std::size_t shard_of(std::string_view user);
  PersonEntry* find(std::string_view user);
  PersonEntry& load(std::string_view user);
  PersonEntry& insert(std::string_view user, std::shared_ptr<const Person> person,
                      std::shared_ptr<const Profile> profile);
  static void warm(std::span<const PersonEntry* const> entries);
  void queue(PersonEntry& entry);
  void drop_stored_history(PersonEntry& entry);
  void account(PersonEntry& entry);
  void evict();
  void sweep(Shard& shard);

  const Db& db_;
  CatalogNames& names_;
  std::size_t cache_bytes_;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
  std::vector<PersonEntry*> queue_;  // touched since the last publish
  std::vector<PersonEntry*> dirty_;  // published since the last freeze
  std::size_t dirty_bytes_ = 0;
  std::size_t hand_ = 0;
  PersonEntry* last_ = nullptr;  // found last: rules ask for one person several times running
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
  std::optional<Error> fault_;
};

}  // namespace millrace::state
