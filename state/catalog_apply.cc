#include <algorithm>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "schemas/catalog_record.h"
#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/state.pb.h"
#include "state/catalog_keys.h"
#include "state/catalog_store_impl.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::string kind_of_id(std::string_view id) {
  const std::size_t colon = id.find(':');
  return std::string(colon == std::string_view::npos ? std::string_view{} : id.substr(0, colon));
}

}  // namespace

void CatalogStore::Impl::raise_highest(const ItemId& id) {
  const std::uint64_t number = natural_of(id.value);
  if (number != UINT64_MAX) numbers.raise(kind_of_id(id.value), number);
}

// Nothing: the item may have the parent that it names.
std::optional<CommandOutcome> CatalogStore::Impl::refuse_parent(const Item& item) const {
  if (item.parent.value.empty()) return std::nullopt;
  const auto index = item_names.find(item.parent.value);
  const auto* above = index ? builder.find(*index) : nullptr;
  if (above == nullptr) return CommandOutcome::kNoParent;
  for (std::size_t levels = 0; above != nullptr; above = builder.find(above->parent)) {
    if (above->item.id == item.id || ++levels > kMaxAncestors) return CommandOutcome::kParentLoop;
  }
  return std::nullopt;
}

CommandOutcome CatalogStore::Impl::put_item(Offset offset, UnixMillis log_time, const Item& item) {
  if (const auto refused = refuse_parent(item)) return *refused;
  const auto known = item_names.find(item.id.value);
  const bool replaced = known && builder.find(*known) != nullptr;
  const ItemIndex index = builder.put(item, log_time, offset);
  proto::CatalogItemRow row;
  row.set_item(encode(item));
  row.set_first_put_ms(builder.find(index)->first_put);
  row.set_changed(offset);
  rows.put(keys::of(keys::kItem, item.id.value), row.SerializeAsString());
  raise_highest(item.id);
  if (item.kind == kMovieKind) {
    for (const auto& category : item.categories) genres.meet(category);
  }
  touched.insert(index);
  touched.insert(builder.inherited().begin(), builder.inherited().end());
  return replaced ? CommandOutcome::kReplaced : CommandOutcome::kCreated;
}

CommandVerdict CatalogStore::Impl::mint_item(Offset offset, UnixMillis log_time, Item item) {
  if (const auto refused = refuse_parent(item)) return {*refused};
  const auto number = numbers.mint(item.kind);
  item.id = ItemId(item.kind + ":" + std::to_string(number));
  return {put_item(offset, log_time, item), number};
}

CommandOutcome CatalogStore::Impl::delete_item(Offset offset, const ItemId& id) {
  const auto index = item_names.find(id.value);
  if (!index || builder.find(*index) == nullptr) return CommandOutcome::kNotFound;
  std::vector<ItemIndex> gone = {*index};  // parents before their children
  for (std::size_t i = 0; i < gone.size(); ++i) {
    const auto& below = builder.children(gone[i]);
    gone.insert(gone.end(), below.begin(), below.end());
  }
  for (const ItemIndex item : gone) {
    builder.erase(item, offset);
    rows.erase(keys::of(keys::kItem, item_names.name(item)));
    touched.insert(item);
  }
  return CommandOutcome::kDeleted;
}

// In every movie: another name, or none when `to` is empty.
void CatalogStore::Impl::replace_genre(Offset offset, UnixMillis log_time, const std::string& from,
                                       const std::string& to) {
  for (const auto& held : builder.having(kMovieKind, from)) {
    Item item = held->item;
    const auto at = std::find(item.categories.begin(), item.categories.end(), from);
    const bool twice =
        std::find(item.categories.begin(), item.categories.end(), to) != item.categories.end();
    if (to.empty() || twice) {
      item.categories.erase(at);
    } else {
      *at = to;
    }
    put_item(offset, log_time, item);
  }
}

CommandVerdict CatalogStore::Impl::put_genre(Offset offset, UnixMillis log_time,
                                             const PutGenre& put) {
  const auto* kept = genres.name(put.id);
  const std::string old = kept == nullptr ? std::string() : *kept;
  const auto verdict = genres.put(put);
  if (verdict.outcome == CommandOutcome::kReplaced && old != put.name) {
    replace_genre(offset, log_time, old, put.name);
  }
  return verdict;
}

CommandVerdict CatalogStore::Impl::delete_genre(Offset offset, UnixMillis log_time, GenreId id) {
  const auto* kept = genres.name(id);
  const std::string old = kept == nullptr ? std::string() : *kept;
  const auto verdict = genres.erase(id);
  if (verdict.outcome == CommandOutcome::kDeleted) replace_genre(offset, log_time, old, {});
  return verdict;
}

CommandOutcome CatalogStore::Impl::demand(Offset offset, const UserId& user, const UserId& into) {
  notes.erase(user);
  auto row = user.value;
  if (!into.value.empty()) row.append(1, '\0').append(into.value);
  rows.append(keys::of(keys::kDemand, static_cast<std::uint64_t>(offset)), std::move(row));
  const std::lock_guard lock(mutex);
  demands.push_back({offset, user, into});
  return CommandOutcome::kAccepted;
}

// What is said of the one is said of the other from now on, unless something was already.
CommandOutcome CatalogStore::Impl::merge(Offset offset, const MergePeople& people) {
  if (people.user == people.into) return CommandOutcome::kForbidden;
  const auto said = notes.view();
  const auto* note = said->find(people.user.value);
  if (note != nullptr && said->find(people.into.value) == nullptr) {
    notes.apply(DescribePerson{people.into, **note});
  }
  return demand(offset, people.user, people.into);
}

// One function a kind of change.
struct CatalogStore::Impl::Change {
  Impl& in;
  Offset offset;
  UnixMillis log_time;

  CommandVerdict operator()(const Item& item) const {
    return {in.put_item(offset, log_time, item)};
  }
  CommandVerdict operator()(const DeleteItem& gone) const {
    return {in.delete_item(offset, gone.id)};
  }
  CommandVerdict operator()(const MintItem& mint) const {
    return in.mint_item(offset, log_time, mint.item);
  }
  CommandVerdict operator()(const PutGenre& put) const {
    return in.put_genre(offset, log_time, put);
  }
  CommandVerdict operator()(const DeleteGenre& gone) const {
    return in.delete_genre(offset, log_time, gone.id);
  }
  CommandVerdict operator()(const DemandErase& erase) const {
    return {in.demand(offset, erase.user)};
  }
  CommandVerdict operator()(const MergePeople& people) const { return {in.merge(offset, people)}; }
  CommandVerdict operator()(const PutRule& put) const { return in.ranking_rules.apply(put); }
  CommandVerdict operator()(const DeleteRule& gone) const { return in.ranking_rules.apply(gone); }
  CommandVerdict operator()(const CloseAccount& close) const {
    const auto verdict = in.accounts.apply(close);
    if (verdict.outcome != CommandOutcome::kDeleted) return verdict;
    in.demand(offset, user_of(close.id));
    in.delete_stores_of(offset, close.id);
    return verdict;
  }
  CommandVerdict operator()(const PutStore& put) const {
    return in.put_store(offset, log_time, put);
  }
  CommandVerdict operator()(const PutProduct& put) const {
    return in.put_product(offset, log_time, put);
  }
  CommandVerdict operator()(const DeleteOwned& gone) const { return in.delete_owned(offset, gone); }
  CommandVerdict operator()(const PutRate& put) const { return in.currencies.apply(put); }
  CommandVerdict operator()(const DeleteRate& gone) const { return in.currencies.apply(gone); }
  CommandVerdict operator()(const PutExperiment& put) const {
    return in.experiments.apply(put, log_time);
  }
  CommandVerdict operator()(const StopExperiment& stop) const {
    return in.experiments.apply(stop, log_time);
  }
  CommandVerdict operator()(const PutDataset& put) const {
    return in.datasets.apply(put, log_time);
  }
  CommandVerdict operator()(const DeleteDataset& gone) const { return in.datasets.apply(gone); }
  CommandVerdict operator()(const PutBlend& put) const { return in.blends.apply(put, log_time); }
  CommandVerdict operator()(const DescribePerson& put) const { return in.notes.apply(put); }
  CommandVerdict operator()(const SignUp& sign_up) const {
    return in.accounts.apply(sign_up, log_time);
  }
  CommandVerdict operator()(const IssueToken& issue) const {
    return in.accounts.apply(issue, log_time);
  }
  CommandVerdict operator()(const BlockAddress& block) const {
    return in.blocks.apply(block, log_time);
  }
  CommandVerdict operator()(const UnblockAddress& gone) const { return in.blocks.apply(gone); }
  CommandVerdict operator()(const Notice& notice) const {
    return in.notice(offset, log_time, notice);
  }
  template <class Other>
  CommandVerdict operator()(const Other& other) const {
    return in.accounts.apply(other);
  }
};

void CatalogStore::Impl::remember(std::string_view command_id, CommandVerdict verdict) {
  const auto hash = CommandOutcomes::hash(command_id);
  const std::lock_guard lock(mutex);
  const std::uint64_t oldest = outcomes.first();
  std::string value(hash.begin(), hash.end());
  value += static_cast<char>(verdict.outcome);
  value += keys::big_endian(verdict.number);
  rows.set_other(keys::of(keys::kOutcome, outcomes.next()), std::move(value));
  outcomes.add(hash, verdict);
  if (outcomes.first() != oldest) rows.set_other(keys::of(keys::kOutcome, oldest), std::nullopt);
}

void CatalogStore::Impl::tell(Offset offset, UnixMillis log_time, const CatalogRecord& record,
                              const CommandVerdict& verdict) {
  auto entry = told(record, verdict);
  if (!entry) return;
  entry->offset = offset;
  entry->time = log_time;
  const std::lock_guard lock(mutex);
  trail.add(rows, *std::move(entry));
}

CommandVerdict CatalogStore::Impl::notice(Offset offset, UnixMillis log_time,
                                          const Notice& notice) {
  const bool report = notice.kind == NoticeKind::kReport;
  JournalEntry entry;
  entry.offset = offset;
  entry.time = log_time;
  entry.action = report ? "audit.report" : "address.anomaly";
  entry.subject = notice.subject;
  entry.details = notice.details;
  const std::lock_guard lock(mutex);
  (report ? reports : anomalies).add(rows, std::move(entry));
  return {CommandOutcome::kAccepted, static_cast<std::uint64_t>(offset)};
}

void CatalogStore::Impl::refuse(Offset offset, UnixMillis log_time, std::string_view record,
                                const Error& why) {
  proto::DeadLetter letter;
  letter.set_offset(offset);
  letter.set_log_time_ms(log_time);
  letter.set_reason(why.detail);
  letter.set_record(std::string(record));
  rows.set_other(keys::of(keys::kDeadLetter, static_cast<std::uint64_t>(offset)),
                 letter.SerializeAsString());
  dead.inc();
}

void CatalogStore::apply(Offset offset, UnixMillis log_time, std::string_view record) {
  Impl& im = *impl_;
  if (offset < im.progress.next_offset) return;
  im.progress = {offset + 1, XXH3_64bits(record.data(), record.size()),
                 std::max(im.progress.log_time, log_time)};
  im.records.inc();
  const auto decoded = decode_catalog_record(record);
  if (!decoded) {
    im.refuse(offset, log_time, record, decoded.error());
    return;
  }
  const bool named = !decoded->command_id.empty();
  if (named && outcome(decoded->command_id)) return;
  const auto verdict = std::visit(Impl::Change{im, offset, log_time}, decoded->change);
  if (named) im.remember(decoded->command_id, verdict);
  im.tell(offset, log_time, *decoded, verdict);
}

std::vector<ItemIndex> CatalogStore::publish() {
  Impl& im = *impl_;
  if (im.progress.next_offset == im.published.next_offset) return {};
  auto view = im.build_view();
  auto accounts = im.accounts.view();
  auto genres = im.genres.view();
  auto blocks = im.blocks.view();
  auto rates = im.currencies.view();
  auto datasets = im.datasets.view();
  auto notes = im.notes.view();
  auto blend = im.blends.view();
  for (auto& [key, value] : im.rows.take_changed()) im.ready[key] = std::move(value);
  im.ready_sum = im.rows.sum();
  im.item_gauge.set(static_cast<double>(view->items()));
  std::vector<ItemIndex> touched(im.touched.begin(), im.touched.end());
  im.touched.clear();
  const std::lock_guard lock(im.mutex);
  im.view.swap(view);
  im.accounts_view.swap(accounts);
  im.genres_view.swap(genres);
  im.blocks_view.swap(blocks);
  im.rates_view.swap(rates);
  im.datasets_view.swap(datasets);
  im.notes_view.swap(notes);
  im.blend_view.swap(blend);
  im.published = im.progress;
  im.memory = im.builder.memory_bytes() + im.rows.memory_bytes() +
              im.accounts_view->memory_bytes() + im.notes.memory_bytes();
  return touched;
}

std::string CatalogStore::Impl::applied_row() const {
  proto::CatalogApplied applied;
  applied.set_next_offset(published.next_offset);
  applied.set_last_record_hash(published.last_record_hash);
  applied.set_log_time_ms(published.log_time);
  applied.set_features_changed(view->features_changed());
  applied.set_added(view->added());
  applied.set_digest(ready_sum.bytes());
  return applied.SerializeAsString();
}

Status CatalogStore::commit() {
  Impl& im = *impl_;
  WriteBatch batch;
  for (const auto& [key, value] : im.ready) {
    if (value) {
      batch.put(key, *value);
    } else {
      batch.erase(key);
    }
  }
  batch.put(keys::of(keys::kApplied), im.applied_row());
  MILLRACE_CHECK(im.db->write(batch));
  im.ready.clear();
  const std::lock_guard lock(im.mutex);
  im.committed_sum = im.ready_sum;
  return {};
}

}  // namespace millrace::state
