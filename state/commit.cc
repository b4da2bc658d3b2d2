#include "state/commit.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "base/prefetch.h"
#include "schemas/record.h"
#include "state/keys.h"
#include "state/pending_rows.h"

namespace millrace::state {
namespace {

constexpr Offset kDigestEvery = 65536;

// In the order of their keys: the database takes rows in order for less, and the order of a batch
// is no fact.
std::vector<const FrozenPerson*> by_user(std::span<const FrozenPerson> people) {
  std::vector<std::pair<std::uint64_t, const FrozenPerson*>> order;
  order.reserve(people.size());
  for (const FrozenPerson& frozen : people) {
    std::uint64_t start = 0;  // of the user, as a number that compares as the text does
    const std::string& user = frozen.entry->user;
    std::memcpy(&start, user.data(), std::min(user.size(), sizeof start));
    order.emplace_back(__builtin_bswap64(start), &frozen);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->entry->user < b.second->entry->user;
  });
  std::vector<const FrozenPerson*> out;
  out.reserve(order.size());
  for (const auto& [start, frozen] : order) out.push_back(frozen);
  return out;
}

// Frozen people lie all over memory: what those further on consist of is asked for in steps.
void warm_ahead(std::span<const FrozenPerson* const> people) {
  constexpr std::size_t kPerson = 18, kParts = 12, kRows = 6;
  const auto ahead = [people](std::size_t by) -> const Person* {
    return by < people.size() ? people[by]->person.get() : nullptr;
  };
  if (kPerson < people.size()) {
    prefetch(people[kPerson]->person.get(), sizeof(Person));
    prefetch(people[kPerson]->entry, sizeof(PersonEntry));
  }
  if (const Person* const person = ahead(kParts)) {
    prefetch(person->history_tail.data(), person->history_tail.size());
    prefetch(person->sequence.data(), person->sequence.size() * sizeof(ItemNumber));
    if (person->pages.size() == 1) prefetch(person->pages.front().page.get());
  }
  if (const Person* const person = ahead(kRows); person && person->pages.size() == 1) {
    const auto packed = person->pages.front().page->packed();
    prefetch(packed.data(), packed.size());
  }
}

// A single page lies in the head's row.
bool has_row_pages(const Person* person) { return person != nullptr && person->pages.size() > 1; }

}  // namespace

void CommitWriter::restore(Offset offset, const Digest& digest) {
  const std::lock_guard guard(lock_);
  offset_ = offset;
  digest_ = working_ = digest;
}

void CommitWriter::restore_chunk(std::uint32_t number, const Digest& stored) {
  if (number >= chunk_digests_.size()) chunk_digests_.resize(std::size_t{number} + 1);
  chunk_digests_[number] = stored;
}

void CommitWriter::restore_dictionary_page(std::uint32_t number, const Digest& stored) {
  if (number >= dictionary_digests_.size()) dictionary_digests_.resize(std::size_t{number} + 1);
  dictionary_digests_[number] = stored;
}

void CommitWriter::restore_identities(std::uint64_t first, std::uint64_t count) {
  blocks_.emplace_back(first, first + count);
}

Digest CommitWriter::put_fact(std::string_view key, std::string_view value) {
  const Digest digest = row_digest(key, value);
  working_ += digest;
  batch_.put(key, value);
  return digest;
}

void CommitWriter::replace_fact(std::string_view key, std::string_view value, Digest& stored) {
  working_ -= stored;
  stored = put_fact(key, value);
}

Status CommitWriter::add_person(const FrozenPerson& frozen) {
  const std::string& user = frozen.entry->user;
  const Person* before = frozen.entry->committed.get();
  const Person* now = frozen.person.get();
  add_profile(frozen);
  if (before == now) return {};
  const bool reborn = before != nullptr && frozen.entry->committed_life != frozen.life;
  MILLRACE_CHECK(add_history(user, before, now, reborn));
  MILLRACE_CHECK(add_tracked(user, before, now, reborn));
  const std::string key = keys::person(user);
  if (before != nullptr) working_ -= before->stored.value;
  if (has_row_pages(before) && (now == nullptr || reborn)) {
    drop_row_pages(user, *before);
    before = nullptr;
  }
  if (now == nullptr) {
    batch_.erase(key);
    return {};
  }
  now->stored.value = put_fact(key, encoder_.person(*now));
  if (has_row_pages(now)) add_row_pages(user, before, *now);
  return {};
}

void CommitWriter::drop_row_pages(std::string_view user, const Person& person) {
  for (const RowPageRef& ref : person.pages) {
    working_ -= ref.page->stored.value;
    batch_.erase(keys::row_page(user, ref.number));
  }
}

// Within one life pages are only added, and keep their first item: both lists ascend by it.
void CommitWriter::add_row_pages(std::string_view user, const Person* before, const Person& now) {
  std::span<const RowPageRef> old;
  if (has_row_pages(before)) old = before->pages;
  for (const RowPageRef& ref : now.pages) {
    if (!old.empty() && old.front().number == ref.number) {
      const auto replaced = std::exchange(old, old.subspan(1)).front().page;
      if (replaced == ref.page) continue;
      working_ -= replaced->stored.value;
    }
    ref.page->stored.value =
        put_fact(keys::row_page(user, ref.number), encoder_.row_page(*ref.page));
  }
}

Status CommitWriter::add_history(std::string_view user, const Person* before, const Person* now,
                                 bool reborn) {
  std::uint32_t stored = 0;  // pages below are in RocksDB, and are this life's
  if (before != nullptr) {
    const bool all = now == nullptr || reborn;
    const std::uint32_t keep = all ? before->history_next : now->history_first;
    MILLRACE_CHECK(drop_history(user, before->history_first, std::min(keep, before->history_next)));
    if (!all) stored = before->history_next;
  }
  if (now == nullptr) return {};
  for (const SealedHistory& sealed : now->unwritten) {
    if (sealed.number < std::max(stored, now->history_first)) continue;
    put_fact(keys::history_page(user, sealed.number), *sealed.bytes);
  }
  return {};
}

Status CommitWriter::drop_history(std::string_view user, std::uint32_t from, std::uint32_t to) {
  if (from >= to) return {};
  std::vector<std::string> keys;
  for (std::uint32_t number = from; number < to; ++number) {
    keys.push_back(keys::history_page(user, number));
  }
  MILLRACE_TRY(const auto pages, db_.multi_get(keys));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!pages[i]) return fail(Code::kCorrupt, "a person's history page is missing");
    working_ -= row_digest(keys[i], *pages[i]);
    batch_.erase(keys[i]);
  }
  return {};
}

Status CommitWriter::add_tracked(std::string_view user, const Person* before, const Person* now,
                                 bool reborn) {
  const bool anew = before != nullptr && (now == nullptr || reborn);
  if (anew) MILLRACE_CHECK(drop_tracked(user));
  if (now == nullptr || !now->tracked) return {};
  const Offset stored = !anew && before != nullptr && before->tracked ? before->tracked->last : -1;
  std::vector<std::string> keys;
  std::vector<const PendingRows::Row*> rows;
  for (const auto& [key, row] : now->tracked->rows) {
    if (row.at <= stored) continue;
    keys.push_back(key);
    rows.push_back(&row);
  }
  std::vector<std::optional<std::string>> replaced(keys.size());
  if (!anew) {
    MILLRACE_TRY(replaced, db_.multi_get(keys));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (replaced[i]) working_ -= row_digest(keys[i], *replaced[i]);
    if (rows[i]->value) {
      put_fact(keys[i], *rows[i]->value);
    } else {
      batch_.erase(keys[i]);
    }
  }
  return {};
}

Status CommitWriter::drop_tracked(std::string_view user) {
  for (const auto& prefix :
       {keys::tracked_rows(user), keys::tracked_places(user), keys::tracked_sums(user)}) {
    MILLRACE_CHECK(db_.scan(prefix, {}, [this](std::string_view key, std::string_view value) {
      working_ -= row_digest(key, value);
      batch_.erase(key);
      return true;
    }));
  }
  return {};
}

void CommitWriter::add_profile(const FrozenPerson& frozen) {
  if (frozen.profile == frozen.entry->committed_profile) return;
  const std::string key = keys::profile(frozen.entry->user);
  if (frozen.profile) {
    batch_.put(key, encoder_.profile(*frozen.profile, names_));
  } else {
    batch_.erase(key);
  }
}

void CommitWriter::add_items(const FrozenItems& items) {
  for (const auto& [number, chunk] : items.chunks) {
    if (number >= chunk_digests_.size()) chunk_digests_.resize(std::size_t{number} + 1);
    replace_fact(keys::item_chunk(number), encoder_.item_chunk(*chunk), chunk_digests_[number]);
  }
  if (items.first_new == items.count) return;
  std::vector<std::string_view> names;
  for (ItemNumber first = items.first_new / kNamesPerPage * kNamesPerPage; first < items.count;
       first += kNamesPerPage) {
    const auto page = static_cast<std::uint32_t>(first / kNamesPerPage);
    names.clear();
    for (ItemNumber i = first; i < std::min<ItemNumber>(first + kNamesPerPage, items.count); ++i) {
      names.push_back(items_.name(i));
    }
    if (page >= dictionary_digests_.size()) dictionary_digests_.resize(std::size_t{page} + 1);
    replace_fact(keys::dictionary_page(page), encoder_.dictionary_page(names),
                 dictionary_digests_[page]);
  }
}

void CommitWriter::add_attribution(std::string_view prefix, const FrozenAttribution& attribution) {
  for (const auto& [number, rows] : attribution.rows) {
    const auto key = keys::attribution(prefix, number);
    if (!rows.empty()) {
      replace_fact(key, encoder_.attribution_day(rows), attribution_digests_[key]);
    } else if (const auto stored = attribution_digests_.extract(key)) {
      working_ -= stored.mapped();
      batch_.erase(key);
    }
  }
}

void CommitWriter::add_trials(const FrozenTrials& trials) {
  for (const auto& [experiment, sums] : trials.experiments) {
    const auto key = keys::experiment(experiment);
    if (!sums.empty()) {
      replace_fact(key, encoder_.experiment(sums), experiment_digests_[experiment]);
    } else if (const auto stored = experiment_digests_.extract(experiment)) {
      working_ -= stored.mapped();
      batch_.erase(key);
    }
  }
}

void CommitWriter::add_identities(const Commit& commit) {
  if (!commit.identities.empty()) {
    batch_.put(keys::duplicates(commit.first_identity), encoder_.duplicates(commit.identities));
    blocks_.emplace_back(commit.first_identity, commit.first_identity + commit.identities.size());
  }
  while (!blocks_.empty() && blocks_.front().second <= commit.oldest_identity) {
    batch_.erase(keys::duplicates(blocks_.front().first));
    blocks_.pop_front();
  }
}

Status CommitWriter::add_letters(const FrozenLetters& letters) {
  for (const std::string& user : letters.erased) {
    const std::string prefix = keys::dead_letters_of(user);
    MILLRACE_CHECK(db_.scan(prefix, {}, [this](std::string_view key, std::string_view) {
      batch_.erase(key);
      if (const auto offset = keys::number64(key)) {
        batch_.erase(keys::dead_letter(static_cast<Offset>(*offset)));
      }
      return true;
    }));
  }
  for (const DeadLetter& letter : letters.added) {
    batch_.put(keys::dead_letter(letter.offset), encoder_.dead_letter(letter));
    if (!letter.user.empty()) batch_.put(keys::dead_letter_of(letter.user, letter.offset), {});
  }
  return {};
}

void CommitWriter::add_position(const Commit& commit) {
  if (commit.ruleset) {
    replace_fact(keys::kRuleset, encode(LogRecord(*commit.ruleset)), ruleset_digest_);
  }
  const Offset offset = commit.applied.next_offset;
  if (offset % kDigestEvery == 0) batch_.put(keys::digest(offset), working_.bytes());
  batch_.put(keys::kApplied,
             encode(AppliedRow{commit.applied, commit.first_identity + commit.identities.size(),
                               commit.ids_floor, working_}));
}

Status CommitWriter::build(const Commit& commit) {
  if (broken_) return fail(Code::kIo, "an earlier commit could not be built, restart the server");
  broken_ = true;  // unless everything below succeeds
  MILLRACE_CHECK(commit.fault);
  batch_ = WriteBatch();
  const auto people = by_user(commit.people);
  for (std::size_t i = 0; i < people.size(); ++i) {
    warm_ahead(std::span(people).subspan(i));
    MILLRACE_CHECK(add_person(*people[i]));
  }
  add_items(commit.items);
  add_attribution(keys::kAttribution, commit.attribution);
  add_attribution(keys::kRecentAttribution, commit.recent);
  add_trials(commit.trials);
  add_identities(commit);
  MILLRACE_CHECK(add_letters(commit.letters));
  add_position(commit);
  broken_ = false;
  built_ = true;
  return {};
}

Status CommitWriter::write(const Commit& commit) {
  if (!built_) MILLRACE_CHECK(build(commit));
  MILLRACE_CHECK(db_.write(batch_));
  built_ = false;
  rows_written_ += batch_.count();
  bytes_written_ += batch_.bytes();
  batch_ = WriteBatch();
  const std::lock_guard guard(lock_);
  offset_ = commit.applied.next_offset;
  digest_ = working_;
  return {};
}

std::pair<Offset, Digest> CommitWriter::digest() const {
  const std::lock_guard guard(lock_);
  return {offset_, digest_};
}

}  // namespace millrace::state
