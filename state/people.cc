#include "state/people.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

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
         person.history_tail.size();
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

std::size_t People::Hash::operator()(std::string_view user) const {
  return XXH3_64bits(user.data(), user.size());
}

std::size_t People::shard_of(std::string_view user) { return Hash{}(user) >> 56; }

People::People(const Db& db, CatalogNames& names, std::size_t cache_bytes)
    : db_(db),
      names_(names),
      cache_bytes_(cache_bytes),
      shards_(std::make_unique<std::array<Shard, kShards>>()) {}

// Without the lock: nobody but the writer changes the maps.
PersonEntry* People::find(std::string_view user) {
  if (last_ != nullptr && *last_->user == user) return last_;
  auto& entries = (*shards_)[shard_of(user)].entries;
  const auto it = entries.find(user);
  if (it == entries.end()) return nullptr;
  return last_ = &it->second;
}

PersonEntry& People::insert(std::string_view user, std::shared_ptr<const Person> person,
                            std::shared_ptr<const Profile> profile) {
  const std::size_t shard_number = shard_of(user);
  Shard& shard = (*shards_)[shard_number];
  PersonEntry fresh;
  fresh.shard = static_cast<std::uint8_t>(shard_number);
  fresh.published = fresh.committed = std::move(person);
  fresh.profile = fresh.committed_profile = std::move(profile);
  const std::lock_guard guard(shard.lock);
  const auto it = shard.entries.emplace(std::string(user), std::move(fresh)).first;
  it->second.user = &it->first;
  account(it->second);
  ++count_;
  return it->second;
}

Status People::prefetch(std::span<const std::string_view> users) {
  if (fault_) return tl::unexpected<Error>(*fault_);
  std::vector<std::string_view> absent;
  std::vector<const PersonEntry*> present;
  present.reserve(users.size());
  for (const std::string_view user : users) {
    const PersonEntry* entry = find(user);
    if (entry == nullptr) absent.push_back(user);
    if (entry != nullptr && entry->published) present.push_back(entry);
  }
  warm(present);
  std::sort(absent.begin(), absent.end());
  absent.erase(std::unique(absent.begin(), absent.end()), absent.end());
  if (absent.empty()) return {};
  MILLRACE_TRY(auto loaded, load_people(db_, names_, absent));
  for (std::size_t i = 0; i < absent.size(); ++i) {
    insert(absent[i], std::move(loaded[i].person), std::move(loaded[i].profile));
  }
  return {};
}

// Memory is slow and a batch's people lie all over it: fetch them side by side, not one by one.
void People::warm(std::span<const PersonEntry* const> entries) {
  for (const PersonEntry* entry : entries) {
    const auto* person = reinterpret_cast<const char*>(entry->published.get());
    for (std::size_t at = 0; at < sizeof(Person); at += 64) __builtin_prefetch(person + at);
  }
  for (const PersonEntry* entry : entries) {
    const Person& person = *entry->published;
    __builtin_prefetch(person.history_tail.data());
    __builtin_prefetch(person.sequence.data());
    if (person.pages.size() == 1) __builtin_prefetch(person.pages.front().page.get());
  }
  for (const PersonEntry* entry : entries) {
    const Person& person = *entry->published;
    if (person.pages.size() != 1) continue;
    const auto packed = person.pages.front().page->packed();
    for (std::size_t at = 0; at < packed.size(); at += 64) __builtin_prefetch(packed.data() + at);
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
      if (!entry.working->unwritten.empty()) drop_stored_history(entry);
    }
  }
  if (!entry.working) entry.working = std::make_shared<Person>();
  return *entry.working;
}

std::string_view People::user_of(const Person& changed) const {
  if (last_ != nullptr && last_->working.get() == &changed) return *last_->user;
  for (const PersonEntry* entry : queue_) {
    if (entry->working.get() == &changed) return *entry->user;
  }
  return {};
}

void People::drop_stored_history(PersonEntry& entry) {
  std::uint32_t stored = 0;
  {
    const std::lock_guard guard((*shards_)[entry.shard].lock);
    if (entry.committed && entry.committed_life == entry.life) {
      stored = entry.committed->history_next;
    }
  }
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
  constexpr std::size_t kNode = 64;
  std::size_t bytes = sizeof(PersonEntry) + kNode + sizeof(std::string) + entry.user->capacity();
  if (entry.published) bytes += entry.published->memory_bytes();
  if (entry.profile) bytes += bytes_of(*entry.profile);
  bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes - entry.bytes,
               std::memory_order_relaxed);
  entry.bytes = bytes;
}

void People::publish() {
  for (PersonEntry* entry : queue_) {
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
  for (PersonEntry* entry : dirty_) {
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
  for (const FrozenPerson& frozen : people) {
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
  // Twice round: the first clears the marks of what is in use, the second finds it.
  for (std::size_t step = 0; step < 2 * kShards && bytes_ > cache_bytes_; ++step) {
    hand_ = (hand_ + 1) % kShards;
    sweep((*shards_)[hand_]);
  }
}

void People::sweep(Shard& shard) {
  const std::lock_guard guard(shard.lock);
  for (auto it = shard.entries.begin(); it != shard.entries.end();) {
    PersonEntry& entry = it->second;
    const bool clean = !entry.queued && !entry.dirty && entry.frozen == 0;
    if (!clean || std::exchange(entry.used, false)) {
      ++it;
      continue;
    }
    if (entry.changed) ++shard.changed_evictions;
    bytes_ -= entry.bytes;
    --count_;
    it = shard.entries.erase(it);
  }
}

Result<PersonView> People::read(std::string_view user) const {
  Shard& shard = (*shards_)[shard_of(user)];
  std::uint64_t evictions = 0;
  for (;;) {
    {
      const std::lock_guard guard(shard.lock);
      const auto it = shard.entries.find(user);
      if (it != shard.entries.end()) {
        it->second.used = true;
        return PersonView{it->second.published, it->second.profile};
      }
      evictions = shard.changed_evictions;
    }
    // Nobody holds the person, so RocksDB has all there is. If that ends while its rows are read,
    // they may be of two versions: then the person is in memory now, or was put out again.
    auto loaded = load_people(db_, names_, std::span(&user, 1));
    const std::lock_guard guard(shard.lock);
    if (shard.entries.contains(user) || shard.changed_evictions != evictions) continue;
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return PersonView{std::move(loaded->front().person), std::move(loaded->front().profile)};
  }
}

void People::offer_profile(std::string_view user, const PersonView& made_from,
                           std::shared_ptr<const Profile> profile) const {
  Shard& shard = (*shards_)[shard_of(user)];
  const std::lock_guard guard(shard.lock);
  const auto it = shard.entries.find(user);
  if (it == shard.entries.end() || it->second.published != made_from.person) return;
  if (it->second.profile == made_from.profile) it->second.profile = std::move(profile);
}

}  // namespace millrace::state
