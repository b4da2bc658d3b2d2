#include "state/people.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "state/pending_rows.h"
#include "state/people_load.h"

namespace millrace::state {
namespace {

std::size_t bytes_of(const Profile& profile) {
  return sizeof(Profile) +
         (profile.categories.capacity() + profile.tags.capacity()) * sizeof(NameWeight);
}

// About what a head takes in a commit, with the row page that was touched.
std::size_t row_bytes(const Person& person) {
  const std::size_t rows =
      person.pages.size() == 1 ? person.pages.front().page->size() : kMaxRowsPerPage / 2;
  return 64 + rows * 40 + person.sequence.size() * 2 + person.pages.size() * 6 +
         person.history_tail.size() + person.served.size() * 24 + person.trials.size() * 128 +
         (person.tracked ? person.tracked->bytes : 0);
}

std::uint64_t hash_of(std::string_view user) { return XXH3_64bits(user.data(), user.size()); }

// How many people ahead of the one that is asked for memory is asked for what they consist of: each
// step needs what the one before has brought.
constexpr std::size_t kPersonAhead = 24;
constexpr std::size_t kPartsAhead = 18;
constexpr std::size_t kPageAhead = 12;
constexpr std::size_t kRowsAhead = 6;
constexpr std::size_t kLookAhead = 4;  // people ahead that may have been passed over

// In loops over entries.
constexpr std::size_t kEntryAhead = 12;
constexpr std::size_t kValueAhead = 6;

// What came behind `stored`; null when there is nothing.
std::shared_ptr<const PendingRows> without_stored(std::shared_ptr<const PendingRows> pending,
                                                  Offset stored) {
  if (!pending || pending->last <= stored) return nullptr;
  if (stored < 0) return pending;
  auto left = std::make_shared<PendingRows>();
  for (const auto& [key, row] : pending->rows) {
    if (row.at > stored) left->put(key, row);
  }
  left->last = pending->last;
  return left;
}

// A copy with room for one more event.
std::shared_ptr<Person> clone(const Person& person) {
  auto copy = std::make_shared<Person>();
  copy->sequence.reserve(person.sequence.size() + 1);
  copy->history_tail.reserve(person.history_tail.size() + 128);
  *copy = person;
  return copy;
}

}  // namespace

People::People(const Db& db, CatalogNames& names, std::size_t cache_bytes)
    : db_(db),
      names_(names),
      cache_bytes_(cache_bytes),
      shards_(std::make_unique<std::array<Shard, kShards>>()) {}

// Without the lock: nobody but the writer changes the tables.
PersonEntry* People::find(std::string_view user) {
  if (last_ != nullptr && last_->user == user) return last_;
  for (std::size_t i = next_; i < std::min(next_ + kLookAhead, ahead_.size()); ++i) {
    if (ahead_[i].entry->user != user) continue;
    next_ = i + 1;
    warm_ahead();
    return last_ = ahead_[i].entry;
  }
  const auto hash = hash_of(user);
  PersonEntry* const found = shard_of(hash).table.find(user, hash);
  if (found != nullptr) last_ = found;
  return found;
}

PersonEntry& People::insert(std::string_view user, std::shared_ptr<const Person> person,
                            std::shared_ptr<const Profile> profile) {
  const auto hash = hash_of(user);
  Shard& shard = shard_of(hash);
  auto fresh = std::make_unique<PersonEntry>();
  fresh->user = user;
  fresh->shard = static_cast<std::uint8_t>(&shard - shards_->data());
  fresh->published = fresh->committed = std::move(person);
  fresh->profile = fresh->committed_profile = std::move(profile);
  account(*fresh);
  ++count_;
  const std::lock_guard guard(shard.lock);
  return shard.table.insert(std::move(fresh), hash);
}

// Memory is slow and a batch's people lie all over it: they are fetched side by side, step by step.
Status People::prefetch(std::span<const Expected> people) {
  if (fault_) return tl::unexpected<Error>(*fault_);
  ahead_.clear();
  hashes_.clear();
  next_ = 0;
  for (const Expected& expected : people) {
    hashes_.push_back(hash_of(expected.user));
    shard_of(hashes_.back()).table.prefetch_slot(hashes_.back());
  }
  for (const auto hash : hashes_) shard_of(hash).table.prefetch_entry(hash);
  const auto entry_of = [&](std::size_t i) {
    return shard_of(hashes_[i]).table.find(people[i].user, hashes_[i]);
  };
  std::vector<std::string_view> absent;
  for (std::size_t i = 0; i < people.size(); ++i) {
    ahead_.push_back({entry_of(i), people[i].item});
    if (ahead_.back().entry == nullptr) absent.push_back(people[i].user);
  }
  std::sort(absent.begin(), absent.end());
  absent.erase(std::unique(absent.begin(), absent.end()), absent.end());
  auto loaded = absent.empty() ? std::vector<LoadedPerson>() : load_people(db_, names_, absent);
  if (!loaded) {
    ahead_.clear();
    return tl::unexpected<Error>(loaded.error());
  }
  for (std::size_t i = 0; i < absent.size(); ++i) {
    insert(absent[i], std::move((*loaded)[i].person), std::move((*loaded)[i].profile));
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (ahead_[i].entry == nullptr) ahead_[i].entry = entry_of(i);
    if (i < kPersonAhead) millrace::prefetch(ahead_[i].entry->current(), sizeof(Person));
  }
  return {};
}

void People::warm_ahead() const {
  const auto ahead = [this](std::size_t by) -> const Person* {
    return next_ + by < ahead_.size() ? ahead_[next_ + by].entry->current() : nullptr;
  };
  const auto page_of = [this](const Person& person, std::size_t by) -> const RowPage* {
    const auto& item = ahead_[next_ + by].item;
    return item && !person.pages.empty() ? person.page_of(*item).page.get() : nullptr;
  };
  millrace::prefetch(ahead(kPersonAhead), sizeof(Person));
  if (const Person* const person = ahead(kPartsAhead)) {
    const auto& tail = person->history_tail;
    millrace::prefetch(tail.data(), tail.size());
    millrace::prefetch(person->sequence.data(), person->sequence.size() * sizeof(ItemNumber));
    millrace::prefetch(person->pages.data(), person->pages.size() * sizeof(RowPageRef));
  }
  if (const Person* const person = ahead(kPageAhead)) {
    millrace::prefetch(page_of(*person, kPageAhead));
  }
  if (const Person* const person = ahead(kRowsAhead)) {
    if (const RowPage* const page = page_of(*person, kRowsAhead)) {
      millrace::prefetch(page->packed().data(), page->packed().size());
    }
  }
}

PersonEntry& People::load(std::string_view user) {
  if (PersonEntry* entry = find(user)) return *entry;
  auto loaded = load_people(db_, names_, std::span(&user, 1));
  if (!loaded) {
    // Going on would fold events into an empty person: whoever asks next is told, and so is the
    // next commit, which writes nothing.
    if (!fault_) fault_ = loaded.error();
    return insert(user, nullptr, nullptr);
  }
  return insert(user, std::move(loaded->front().person), std::move(loaded->front().profile));
}

void People::queue(PersonEntry& entry) {
  if (entry.queued) return;
  entry.queued = true;
  queue_.push_back(&entry);
}

const Person* People::person(std::string_view user) {
  const PersonEntry& entry = load(user);
  return entry.touched ? entry.working.get() : entry.published.get();
}

Person& People::change(std::string_view user) {
  PersonEntry& entry = load(user);
  if (!entry.touched) {
    entry.touched = true;
    queue(entry);
    if (entry.published) {
      entry.working = clone(*entry.published);
      if (!entry.working->unwritten.empty() || entry.working->tracked) drop_stored(entry);
    }
  }
  if (!entry.working) entry.working = std::make_shared<Person>();
  return *entry.working;
}

std::string_view People::user_of(const Person& changed) const {
  if (last_ != nullptr && last_->working.get() == &changed) return last_->user;
  for (const PersonEntry* entry : queue_) {
    if (entry->working.get() == &changed) return entry->user;
  }
  return {};
}

void People::drop_stored(PersonEntry& entry) {
  std::uint32_t stored = 0;
  Offset stored_at = -1;  // the last tracked row's
  {
    const std::lock_guard guard((*shards_)[entry.shard].lock);
    if (entry.committed && entry.committed_life == entry.life) {
      stored = entry.committed->history_next;
      if (entry.committed->tracked) stored_at = entry.committed->tracked->last;
    }
  }
  entry.working->tracked = without_stored(std::move(entry.working->tracked), stored_at);
  std::erase_if(entry.working->unwritten,
                [stored](const SealedHistory& sealed) { return sealed.number < stored; });
}

void People::erase(std::string_view user) {
  PersonEntry& entry = load(user);
  queue(entry);
  entry.touched = true;
  entry.working.reset();
  entry.profile_touched = true;
  entry.working_profile.reset();
  ++entry.life;
}

void People::set_profile(std::string_view user, std::shared_ptr<const Profile> profile) {
  PersonEntry& entry = load(user);
  queue(entry);
  entry.profile_touched = true;
  entry.working_profile = std::move(profile);
}

const Profile* People::profile(std::string_view user) {
  PersonEntry& entry = load(user);
  if (entry.profile_touched) return entry.working_profile.get();
  // Readers may replace what is published at any time: hold on to what is handed out.
  const std::lock_guard guard((*shards_)[entry.shard].lock);
  entry.seen_profile = entry.profile;
  return entry.seen_profile.get();
}

void People::account(PersonEntry& entry) {
  constexpr std::size_t kSlot = 40;  // in a table that is not full, and the entry's allocation
  std::size_t bytes = sizeof(PersonEntry) + kSlot + entry.user.capacity();
  if (entry.published) bytes += entry.published->memory_bytes();
  if (entry.profile) bytes += bytes_of(*entry.profile);
  bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes - entry.bytes,
               std::memory_order_relaxed);
  entry.bytes = bytes;
}

void People::publish() {
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (i + kEntryAhead < queue_.size()) {
      millrace::prefetch(queue_[i + kEntryAhead], sizeof(PersonEntry));
    }
    if (i + kValueAhead < queue_.size()) {
      millrace::prefetch(queue_[i + kValueAhead]->working.get(), sizeof(Person));
    }
    PersonEntry* const entry = queue_[i];
    const bool was_dirty = entry->dirty;
    if (!was_dirty) dirty_.push_back(entry);
    entry->dirty = true;
    entry->changed = true;
    entry->queued = false;
    std::shared_ptr<const Person> replaced;  // let go outside the lock
    const std::lock_guard guard((*shards_)[entry->shard].lock);
    if (entry->touched) {
      replaced = std::exchange(entry->published, std::move(entry->working));
      entry->working.reset();
    }
    if (entry->profile_touched) entry->profile = std::move(entry->working_profile);
    entry->working_profile.reset();
    entry->seen_profile.reset();
    entry->touched = entry->profile_touched = false;
    entry->used = true;
    account(*entry);
    if (!was_dirty && entry->published) dirty_bytes_ += row_bytes(*entry->published);
  }
  queue_.clear();
  if (bytes_ > cache_bytes_) evict();
}

std::vector<FrozenPerson> People::freeze() {
  std::vector<FrozenPerson> frozen;
  frozen.reserve(dirty_.size());
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    if (i + kEntryAhead < dirty_.size()) {
      millrace::prefetch(dirty_[i + kEntryAhead], sizeof(PersonEntry));
    }
    PersonEntry* const entry = dirty_[i];
    const std::lock_guard guard((*shards_)[entry->shard].lock);
    ++entry->frozen;
    entry->dirty = false;
    frozen.push_back({entry, entry->published, entry->profile, entry->life});
  }
  dirty_.clear();
  dirty_bytes_ = 0;
  return frozen;
}

void People::mark_committed(std::span<const FrozenPerson> people) {
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (i + kEntryAhead < people.size()) {
      millrace::prefetch(people[i + kEntryAhead].entry, sizeof(PersonEntry));
    }
    if (i + kValueAhead < people.size()) {
      millrace::prefetch(people[i + kValueAhead].entry->committed.get(), sizeof(Person));
    }
    const FrozenPerson& frozen = people[i];
    PersonEntry& entry = *frozen.entry;
    std::shared_ptr<const Person> replaced = frozen.person;
    const std::lock_guard guard((*shards_)[entry.shard].lock);
    entry.committed.swap(replaced);
    entry.committed_life = frozen.life;
    entry.committed_profile = frozen.profile;
    --entry.frozen;
  }
}

void People::evict() {
  last_ = nullptr;
  ahead_.clear();
  // Twice round: the first clears the marks of what is in use, the second finds it.
  for (std::size_t step = 0; step < 2 * kShards && bytes_ > cache_bytes_; ++step) {
    hand_ = (hand_ + 1) % kShards;
    sweep((*shards_)[hand_]);
  }
}

void People::sweep(Shard& shard) {
  const std::lock_guard guard(shard.lock);
  shard.table.erase_if([&](PersonEntry& entry) {
    const bool clean = !entry.queued && !entry.dirty && entry.frozen == 0;
    if (!clean || std::exchange(entry.used, false)) return false;
    if (entry.changed) ++shard.changed_evictions;
    bytes_ -= entry.bytes;
    --count_;
    return true;
  });
}

Result<PersonView> People::read(std::string_view user) const {
  const auto hash = hash_of(user);
  Shard& shard = shard_of(hash);
  std::uint64_t evictions = 0;
  for (;;) {
    {
      const std::lock_guard guard(shard.lock);
      if (PersonEntry* const entry = shard.table.find(user, hash)) {
        entry->used = true;
        return PersonView{entry->published, entry->profile};
      }
      evictions = shard.changed_evictions;
    }
    // Nobody holds the person, so RocksDB has all there is. If that ends while its rows are read,
    // they may be of two versions: then the person is in memory now, or was put out again.
    auto loaded = load_people(db_, names_, std::span(&user, 1));
    const std::lock_guard guard(shard.lock);
    const bool came = shard.table.find(user, hash) != nullptr;
    if (came || shard.changed_evictions != evictions) continue;
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return PersonView{std::move(loaded->front().person), std::move(loaded->front().profile)};
  }
}

void People::offer_profile(std::string_view user, const PersonView& made_from,
                           std::shared_ptr<const Profile> profile) const {
  const auto hash = hash_of(user);
  Shard& shard = shard_of(hash);
  const std::lock_guard guard(shard.lock);
  PersonEntry* const entry = shard.table.find(user, hash);
  if (entry == nullptr || entry->published != made_from.person) return;
  if (entry->profile == made_from.profile) entry->profile = std::move(profile);
}

}  // namespace millrace::state
