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
#include <vector>

#include "state/partition_store.h"
#include "state/person_table.h"

namespace millrace::state {

// One person's part of a commit.
struct FrozenPerson {
  PersonEntry* entry = nullptr;
  std::shared_ptr<const Person> person;
  std::shared_ptr<const Profile> profile;
  std::uint64_t life = 0;
};

// The people of a partition that are in memory: 256 shards of a mutex and a table. Only the writer
// inserts and evicts; dirty people stay.
class People {
 public:
  People(const Db& db, CatalogNames& names, std::size_t cache_bytes);

  // ---- the writer's ----
  Status prefetch(std::span<const Expected> people);
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
  struct Shard {
    std::mutex lock;
    PersonTable table;
    std::uint64_t changed_evictions = 0;
  };
  static constexpr std::size_t kShards = 256;

  Shard& shard_of(std::uint64_t hash) const { return (*shards_)[hash >> 56]; }
  PersonEntry* find(std::string_view user);
  PersonEntry& load(std::string_view user);
  PersonEntry& insert(std::string_view user, std::shared_ptr<const Person> person,
                      std::shared_ptr<const Profile> profile);
  void warm_ahead() const;
  void queue(PersonEntry& entry);
  void drop_stored(PersonEntry& entry);
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
  struct Ahead {
    PersonEntry* entry = nullptr;
    std::optional<ItemNumber> item;
  };
  std::vector<Ahead> ahead_;  // whom prefetch() was told of, in that order
  std::size_t next_ = 0;      // of ahead_: who is to be asked for next
  std::vector<std::uint64_t> hashes_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
  std::optional<Error> fault_;
};

}  // namespace millrace::state
