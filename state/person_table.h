#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prefetch.h"
#include "state/pages.h"
#include "state/profile.h"

namespace millrace::state {

// A person in memory. What readers see lies under the shard's lock; only the writer changes
// `published` and `life`, so that it may look at them without; the commit thread alone changes
// `committed` and its companions.
struct PersonEntry {
  std::string user;
  std::shared_ptr<const Person> published;  // nullptr: no such person
  std::shared_ptr<const Person> committed;  // as RocksDB has it
  std::shared_ptr<const Profile> profile;
  std::shared_ptr<const Profile> committed_profile;
  std::uint64_t life = 0;  // goes up with every erasure: page numbers begin anew
  std::uint64_t committed_life = 0;
  std::uint32_t frozen = 0;  // commits on their way that hold this entry
  bool used = true;          // since the clock's hand passed

  // The writer's alone.
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

  const Person* current() const { return touched ? working.get() : published.get(); }
};

// People by the hash of their id: open addressing. Entries stay where they are.
class PersonTable {
 public:
  PersonEntry* find(std::string_view user, std::uint64_t hash) const {
    for (std::size_t at = hash & mask(); slots_[at].entry; at = (at + 1) & mask()) {
      if (slots_[at].hash == hash && slots_[at].entry->user == user) return slots_[at].entry.get();
    }
    return nullptr;
  }

  // Two steps towards find(): first the slot, then the entry that most likely is the one.
  void prefetch_slot(std::uint64_t hash) const { prefetch(&slots_[hash & mask()]); }
  void prefetch_entry(std::uint64_t hash) const {
    prefetch(slots_[hash & mask()].entry.get(), sizeof(PersonEntry));
  }

  PersonEntry& insert(std::unique_ptr<PersonEntry> fresh, std::uint64_t hash) {  // not there yet
    if ((used_ + 1) * 4 > slots_.size() * 3) resize(slots_.size() * 2);
    ++used_;
    return place(std::move(fresh), hash);
  }

  template <class F>
  void erase_if(F&& gone) {
    const std::size_t before = used_;
    for (Slot& slot : slots_) {
      if (!slot.entry || !gone(*slot.entry)) continue;
      slot.entry.reset();
      --used_;
    }
    if (used_ != before) resize(slots_.size());  // closes the gaps
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<PersonEntry> entry;
  };

  std::size_t mask() const { return slots_.size() - 1; }

  PersonEntry& place(std::unique_ptr<PersonEntry> entry, std::uint64_t hash) {
    std::size_t at = hash & mask();
    while (slots_[at].entry) at = (at + 1) & mask();
    slots_[at] = {hash, std::move(entry)};
    return *slots_[at].entry;
  }
  void resize(std::size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.entry) place(std::move(slot.entry), slot.hash);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(8);
  std::size_t used_ = 0;
};

}  // namespace millrace::state
