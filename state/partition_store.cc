#include "state/partition_store.h"

#include <algorithm>

#include "state/commit.h"
#include "state/dead_letters.h"
#include "state/history_read.h"
#include "state/items.h"
#include "state/keys.h"
#include "state/page_codec.h"
#include "state/partition_open.h"
#include "state/people.h"
#include "state/tracked_write.h"

namespace millrace::state {

struct PartitionStore::Impl {
  Impl(std::unique_ptr<Db> opened, const Options& options, NameTable& item_names,
       CatalogNames& catalog_names, Metrics& metrics)
      : db(std::move(opened)),
        number(options.partition),
        items(item_names),
        names(catalog_names),
        people(*db, catalog_names, options.cache_bytes),
        letters(*db),
        writer(*db, items, catalog_names) {
    const Labels labels{{"partition", std::to_string(options.partition)}};
    rows = &metrics.counter("state_rows_written_total", "Rows put or deleted by commits.", labels);
    bytes = &metrics.counter("state_bytes_written_total", "Bytes of commits.", labels);
    people_in_memory =
        &metrics.gauge("state_people_in_memory", "People whose pages are in memory.", labels);
    window_seconds = &metrics.gauge("dedupe_window_seconds",
                                    "Log time that the duplicate window spans.", labels);
  }

  // Where a void function of the writer failed to read what it needed.
  Status fault() const {
    if (people.fault()) return tl::unexpected<Error>(*people.fault());
    if (read_fault) return tl::unexpected<Error>(*read_fault);
    return {};
  }
  void note(const Status& status) {
    if (!status && !read_fault) read_fault = status.error();
  }

  std::unique_ptr<Db> db;
  const std::uint16_t number;
  Items items;
  CatalogNames& names;
  People people;
  Duplicates duplicates;
  DeadLetters letters;
  Attribution attribution;
  TrialSums trials;
  Attribution recent{kByMinute};
  CommitWriter writer;
  std::atomic<std::uint64_t> writes{0};  // commits begun and commits ended: odd while one lands

  Applied applied;  // the writer's
  Applied frozen;   // as of the last freeze
  Ruleset rules;    // the writer's
  bool rules_changed = false;
  std::uint64_t identities_frozen = 0;
  std::optional<Error> read_fault;

  mutable std::mutex published_lock;
  Applied published;
  Ruleset published_rules;

  Counter* rows;
  Counter* bytes;
  Gauge* people_in_memory;
  Gauge* window_seconds;
};

PartitionStore::PartitionStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PartitionStore::~PartitionStore() = default;

Result<std::unique_ptr<PartitionStore>> PartitionStore::open(const Options& options,
                                                             const RocksShared& shared,
                                                             NameTable& items, CatalogNames& names,
                                                             Metrics& metrics) {
  MILLRACE_TRY(auto db, Db::open(options.directory, shared, options.mode));
  MILLRACE_CHECK(check_format(*db, options.mode));
  auto impl = std::make_unique<Impl>(std::move(db), options, items, names, metrics);
  const OpenParts parts{*impl->db,    impl->items,  impl->duplicates, impl->attribution,
                        impl->recent, impl->trials, impl->writer};
  auto stored = restore(parts);
  if (!stored) {
    return fail(stored.error().code, options.directory + ": " + stored.error().detail);
  }
  impl->applied = impl->frozen = impl->published = stored->applied;
  impl->rules = impl->published_rules = std::move(stored->ruleset);
  impl->identities_frozen = impl->duplicates.added();
  impl->items.publish();
  return std::unique_ptr<PartitionStore>(new PartitionStore(std::move(impl)));
}

Status PartitionStore::prefetch(std::span<const Expected> people) {
  MILLRACE_CHECK(impl_->fault());
  return impl_->people.prefetch(people);
}

const Person* PartitionStore::person(std::string_view user) const {
  return impl_->people.person(user);
}

Person& PartitionStore::change_person(std::string_view user) { return impl_->people.change(user); }

void PartitionStore::set_profile(std::string_view user, std::shared_ptr<const Profile> profile) {
  impl_->people.set_profile(user, std::move(profile));
}

const Profile* PartitionStore::profile(std::string_view user) const {
  return impl_->people.profile(user);
}

void PartitionStore::erase_person(std::string_view user) {
  impl_->people.erase(user);
  impl_->letters.erase(user);
}

ItemNumber PartitionStore::number_of(std::string_view item) { return impl_->items.number_of(item); }

std::optional<ItemNumber> PartitionStore::expect_item(std::string_view item) const {
  return impl_->items.expect(item);
}

ItemStats& PartitionStore::change_item(ItemNumber item) { return impl_->items.change(item); }

Duplicates& PartitionStore::duplicates() { return impl_->duplicates; }

void PartitionStore::append_history(Person& person, Offset offset, UnixMillis log_time,
                                    const InteractionView& interaction, ItemNumber item) {
  append_to_history(person, offset, log_time, interaction, item);
}

void PartitionStore::drop_history_before(Person& person, UnixMillis log_time) {
  impl_->note(drop_old_history(*impl_->db, impl_->people.user_of(person), person, log_time));
}

void PartitionStore::track(Person& person, Offset offset, UnixMillis log_time,
                           const InteractionView& interaction, ItemNumber item,
                           std::int64_t keep_ms) {
  TrackedWriter writer(*impl_->db, impl_->items, std::string(interaction.user), person);
  impl_->note(writer.track(offset, log_time, interaction, item, keep_ms));
}

void PartitionStore::expire_tracked(std::string_view user, Offset offset, UnixMillis log_time,
                                    const std::vector<TypeRetention>& retention) {
  if (impl_->people.person(user) == nullptr) return;
  TrackedWriter writer(*impl_->db, impl_->items, std::string(user), impl_->people.change(user));
  impl_->note(writer.expire(offset, log_time, retention));
}

void PartitionStore::add_dead_letter(DeadLetter letter) { impl_->letters.add(std::move(letter)); }

void PartitionStore::set_ruleset(const Ruleset& ruleset) {
  impl_->rules = ruleset;
  impl_->rules_changed = true;
  // First what the window until now has let go, as of this place in the log.
  impl_->duplicates.forget_beyond(impl_->applied.log_time);
  impl_->duplicates.set_window(ruleset.dedupe_ids, ruleset.dedupe_ms);
}

Attribution& PartitionStore::attribution() { return impl_->attribution; }
const Attribution& PartitionStore::attribution() const { return impl_->attribution; }
TrialSums& PartitionStore::trials() { return impl_->trials; }
const TrialSums& PartitionStore::trials() const { return impl_->trials; }
Attribution& PartitionStore::recent_attribution() { return impl_->recent; }
const Attribution& PartitionStore::recent_attribution() const { return impl_->recent; }

Applied& PartitionStore::applied() { return impl_->applied; }

std::vector<ItemIndex> PartitionStore::publish() {
  impl_->people.publish();
  auto changed = impl_->items.publish();
  const std::lock_guard guard(impl_->published_lock);
  impl_->published = impl_->applied;
  if (impl_->rules_changed) impl_->published_rules = impl_->rules;
  return changed;
}

std::size_t PartitionStore::dirty_bytes() const {
  const std::uint64_t identities = impl_->duplicates.added() - impl_->identities_frozen;
  return impl_->people.dirty_bytes() + impl_->items.dirty_bytes() + identities * 20;
}

std::shared_ptr<const Commit> PartitionStore::freeze() {
  Impl& impl = *impl_;
  const bool same = impl.applied == impl.frozen && !impl.people.dirty() && !impl.items.dirty() &&
                    !impl.letters.dirty() && !impl.rules_changed &&
                    impl.duplicates.added() == impl.identities_frozen;
  if (same) return nullptr;
  impl.duplicates.forget_beyond(impl.applied.log_time);
  auto commit = std::make_shared<Commit>();
  commit->people = impl.people.freeze();
  commit->items = impl.items.freeze();
  commit->identities = impl.duplicates.take_new();
  commit->first_identity = impl.identities_frozen;
  commit->oldest_identity = impl.duplicates.oldest();
  commit->ids_floor = impl.duplicates.floor();
  commit->letters = impl.letters.freeze();
  commit->attribution = impl.attribution.freeze();
  commit->trials = impl.trials.freeze();
  commit->recent = impl.recent.freeze();
  if (std::exchange(impl.rules_changed, false)) commit->ruleset = impl.rules;
  commit->applied = impl.applied;
  commit->fault = impl.fault();
  impl.identities_frozen = impl.duplicates.added();
  impl.frozen = impl.applied;
  impl.people_in_memory->set(static_cast<double>(impl.people.size()));
  impl.window_seconds->set(impl.duplicates.window_hours() * 3600);
  return commit;
}

Status PartitionStore::write(const Commit& commit) {
  const std::uint64_t rows = impl_->writer.rows_written();
  const std::uint64_t bytes = impl_->writer.bytes_written();
  ++impl_->writes;
  const auto status = impl_->writer.write(commit);
  ++impl_->writes;
  MILLRACE_CHECK(status);
  impl_->people.mark_committed(commit.people);
  impl_->letters.mark_written(commit.letters);
  impl_->rows->inc(static_cast<double>(impl_->writer.rows_written() - rows));
  impl_->bytes->inc(static_cast<double>(impl_->writer.bytes_written() - bytes));
  return {};
}

std::pair<Offset, Digest> PartitionStore::digest() const { return impl_->writer.digest(); }

Result<std::optional<Digest>> PartitionStore::digest_at(Offset offset) const {
  MILLRACE_TRY(const auto bytes, impl_->db->get(keys::digest(offset)));
  if (!bytes) return std::optional<Digest>();
  return std::optional<Digest>(Digest::from_bytes(*bytes));
}

Result<PersonView> PartitionStore::read(std::string_view user) const {
  return impl_->people.read(user);
}

void PartitionStore::offer_profile(std::string_view user, const PersonView& made_from,
                                   std::shared_ptr<const Profile> profile) const {
  impl_->people.offer_profile(user, made_from, std::move(profile));
}

Result<std::vector<HistoryItem>> PartitionStore::history(std::string_view user,
                                                         const HistoryQuery& query) const {
  const HistoryReader reader{*impl_->db, impl_->people, impl_->items};
  return reader.read(user, query);
}

Result<TrackedReader> PartitionStore::tracked(std::string_view user) const {
  MILLRACE_TRY(auto view, impl_->people.read(user));
  return TrackedReader(*impl_->db, impl_->items, std::string(user), std::move(view.person));
}

Result<std::vector<std::string>> PartitionStore::people_to_expire(
    UnixMillis now, const std::vector<TypeRetention>& retention, std::size_t limit) const {
  std::vector<std::string> people;
  if (retention.empty()) return people;
  MILLRACE_CHECK(
      impl_->db->scan(keys::kTrackedSums, {}, [&](std::string_view key, std::string_view value) {
        const auto user = keys::user_of_tracked(key);
        if (!people.empty() && people.back() == user) return true;
        if (people.size() == limit) return false;
        const auto sums = decode_tracked_sums(value);
        const bool due = sums && std::any_of(sums->begin(), sums->end(), [&](const auto& one) {
                           return expired(one, now, retention);
                         });
        if (due) people.emplace_back(user);
        return true;
      }));
  return people;
}

std::optional<FirstSeen> PartitionStore::first_seen(const Identity& identity) const {
  return impl_->duplicates.find(identity, published().log_time);
}

ItemIndex PartitionStore::index_of(ItemNumber item) const { return impl_->items.index_of(item); }

const ItemCells& PartitionStore::cells() const { return impl_->items.cells(); }

Ruleset PartitionStore::ruleset() const {
  const std::lock_guard guard(impl_->published_lock);
  return impl_->published_rules;
}

Applied PartitionStore::published() const {
  const std::lock_guard guard(impl_->published_lock);
  return impl_->published;
}

Result<std::vector<DeadLetter>> PartitionStore::dead_letters(Offset from, std::size_t limit) const {
  return impl_->letters.read(from, limit);
}

Status PartitionStore::for_each_person(
    const std::function<bool(std::string_view user, const Person&)>& visit) const {
  return each_committed_person(*impl_->db, impl_->writes, visit);
}

Result<Digest> PartitionStore::scan_digest() const {
  Digest sum;
  MILLRACE_CHECK(for_each_fact([&sum](std::string_view key, std::string_view value) {
    sum += row_digest(key, value);
    return true;
  }));
  return sum;
}

Status PartitionStore::for_each_fact(
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  return impl_->db->scan({}, std::string_view(&keys::kFirstFact, 1),
                         [&visit](std::string_view key, std::string_view value) {
                           return keys::is_fact(key) && visit(key, value);
                         });
}

std::uint16_t PartitionStore::partition() const { return impl_->number; }

double PartitionStore::dedupe_window_hours() const { return impl_->duplicates.window_hours(); }

const Db& PartitionStore::db() const { return *impl_->db; }
Db& PartitionStore::db() { return *impl_->db; }

std::vector<MemoryPart> PartitionStore::memory_parts() const {
  return {{"people", impl_->people.memory_bytes()},
          {"items", impl_->items.memory_bytes()},
          {"duplicates", impl_->duplicates.memory_bytes()}};
}

}  // namespace millrace::state
