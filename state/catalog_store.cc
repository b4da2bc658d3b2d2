#include "state/catalog_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "schemas/catalog_record.h"
#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/state.pb.h"
#include "state/catalog_keys.h"
#include "state/catalog_store_impl.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

constexpr int kFormatVersion = 1;

Status check_format(Db& db, Db::Mode mode) {
  MILLRACE_TRY(const auto stored, db.get(keys::of(keys::kFormat)));
  if (!stored) {
    if (mode == Db::Mode::kReadOnly) return {};
    WriteBatch batch;
    batch.put(keys::of(keys::kFormat), std::to_string(kFormatVersion));
    return db.write(batch);
  }
  if (*stored == std::to_string(kFormatVersion)) return {};
  return fail(Code::kInvalid, "the catalog's stored format is " + *stored +
                                  ", this program reads " + std::to_string(kFormatVersion) +
                                  ": use a newer program");
}

tl::unexpected<Error> corrupt_row(std::string_view key) {
  return fail(Code::kCorrupt, "catalog: a row of kind '" + std::string(key.substr(0, 1)) +
                                  "' is not what was written: restore a backup or rebuild");
}

}  // namespace

// ---- opening

Status CatalogStore::Impl::load() {
  proto::CatalogApplied applied;
  MILLRACE_TRY(const auto stored, db->get(keys::of(keys::kApplied)));
  if (stored && !applied.ParseFromString(*stored)) return corrupt_row("A");
  progress = {applied.next_offset(), applied.last_record_hash(), applied.log_time_ms()};
  MILLRACE_CHECK(load_items());
  MILLRACE_CHECK(load_people());
  MILLRACE_CHECK(load_outcomes());
  MILLRACE_CHECK(load_access());
  MILLRACE_CHECK(load_uploads());
  builder.restore_offsets(applied.features_changed(), applied.added());
  if (const Digest kept = Digest::from_bytes(applied.digest()); !(kept == rows.sum())) {
    log_error("catalog: the stored rows do not match their digest; run `millrace verify`");
    rows.set_sum(kept);  // what the rows should sum up to, so that the difference stays visible
  }
  ready_sum = committed_sum = rows.sum();
  published = progress;
  view = build_view();
  accounts_view = accounts.view();
  genres_view = genres.view();
  blocks_view = blocks.view();
  rates_view = currencies.view();
  datasets_view = datasets.view();
  notes_view = notes.view();
  blend_view = blends.view();
  memory = builder.memory_bytes() + rows.memory_bytes() + accounts_view->memory_bytes() +
           notes.memory_bytes();
  item_gauge.set(static_cast<double>(view->items()));
  return {};
}

Status CatalogStore::Impl::load_items() {
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kItem), {}, [&](auto key, auto value) {
    proto::CatalogItemRow row;
    if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      status = corrupt_row(key);
      return false;
    }
    const auto item = decode_item(row.item());
    if (!item) {
      status = corrupt_row(key);
      return false;
    }
    builder.restore(*item, row.first_put_ms(), row.changed());
    rows.restore(key, value);
    return true;
  }));
  return status;
}

Status CatalogStore::Impl::load_people() {
  MILLRACE_CHECK(db->scan(keys::of(keys::kDemand), {}, [&](auto key, auto value) {
    const auto offset = static_cast<Offset>(keys::from_big_endian(key.substr(1)));
    const auto end = std::min(value.find('\0'), value.size());
    const auto into = end < value.size() ? value.substr(end + 1) : std::string_view();
    demands.push_back(
        {offset, UserId(std::string(value.substr(0, end))), UserId(std::string(into))});
    rows.restore_appended(key, value);
    return true;
  }));
  MILLRACE_CHECK(db->scan(keys::of(keys::kHighest), {}, [&](auto key, auto value) {
    numbers.restore(key.substr(1), keys::from_big_endian(value));
    rows.restore(key, value);
    return true;
  }));
  MILLRACE_CHECK(db->scan(keys::of(keys::kGenre), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    genres.restore(key, value);
    return true;
  }));
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kRate), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = currencies.restore(key, value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kExperiment), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = experiments.restore(value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kAccount), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = accounts.restore_account(key, value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kToken), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = accounts.restore_token(key, value);
    return status.has_value();
  }));
  return status;
}

Status CatalogStore::Impl::load_outcomes() {
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kOutcome), {}, [&](auto key, auto value) {
    CommandOutcomes::Hash hash;
    if (value.size() <= hash.size()) {
      status = corrupt_row(key);
      return false;
    }
    if (outcomes.next() == outcomes.first()) {
      outcomes.restore_from(keys::from_big_endian(key.substr(1)));
    }
    std::copy_n(value.begin(), hash.size(), hash.begin());
    const auto number = keys::from_big_endian(value.substr(hash.size() + 1));
    outcomes.add(hash, {static_cast<CommandOutcome>(value[hash.size()]), number});
    return true;
  }));
  return status;
}

Status CatalogStore::Impl::load_access() {
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kBlock), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = blocks.restore(key, value);
    return status.has_value();
  }));
  const std::pair<char, Journal*> journals[] = {
      {keys::kTrail, &trail}, {keys::kAnomaly, &anomalies}, {keys::kReport, &reports}};
  for (const auto& [row, journal] : journals) {
    MILLRACE_CHECK(status);
    MILLRACE_CHECK(db->scan(keys::of(row), {}, [&, to = journal](auto key, auto value) {
      status = to->restore(key, value);
      return status.has_value();
    }));
  }
  return status;
}

std::shared_ptr<const CatalogView> CatalogStore::Impl::build_view() {
  return builder.build(progress.next_offset, experiments.view(), ranking_rules.view());
}

Status CatalogStore::Impl::load_uploads() {
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kRankingRule), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = ranking_rules.restore(value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kDataset), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = datasets.restore(key, value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kPersonNote), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = notes.restore(key, value);
    return status.has_value();
  }));
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(db->scan(keys::of(keys::kBlend), {}, [&](auto key, auto value) {
    rows.restore(key, value);
    status = blends.restore(value);
    return status.has_value();
  }));
  return status;
}

// ---- reading

CatalogStore::CatalogStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CatalogStore::~CatalogStore() = default;

Result<std::unique_ptr<CatalogStore>> CatalogStore::open(const Options& options,
                                                         const RocksShared& shared,
                                                         NameTable& items, CatalogNames& names,
                                                         Metrics& metrics) {
  MILLRACE_TRY(auto db, Db::open(options.directory, shared, options.mode));
  MILLRACE_CHECK(check_format(*db, options.mode));
  auto impl = std::make_unique<Impl>(std::move(db), items, names, metrics);
  MILLRACE_CHECK(impl->load());
  return std::unique_ptr<CatalogStore>(new CatalogStore(std::move(impl)));
}

std::shared_ptr<const CatalogView> CatalogStore::view() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->view;
}

Offset CatalogStore::next_offset() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->published.next_offset;
}

std::uint64_t CatalogStore::last_record_hash() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->published.last_record_hash;
}

UnixMillis CatalogStore::log_time() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->published.log_time;
}

std::shared_ptr<const AccountsView> CatalogStore::accounts() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->accounts_view;
}

std::shared_ptr<const GenresView> CatalogStore::genres() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->genres_view;
}

std::shared_ptr<const BlocksView> CatalogStore::blocks() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->blocks_view;
}

std::shared_ptr<const Rates> CatalogStore::rates() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->rates_view;
}

std::shared_ptr<const DatasetsView> CatalogStore::datasets() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->datasets_view;
}

std::shared_ptr<const PersonNotesView> CatalogStore::person_notes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->notes_view;
}

std::shared_ptr<const KeptBlend> CatalogStore::blend() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->blend_view;
}

std::vector<JournalEntry> CatalogStore::trail(const JournalQuery& query, std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trail.find(query, limit);
}

std::vector<JournalEntry> CatalogStore::anomalies(const JournalQuery& query,
                                                  std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->anomalies.find(query, limit);
}

std::vector<JournalEntry> CatalogStore::reports(const JournalQuery& query,
                                                std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->reports.find(query, limit);
}

std::optional<CommandVerdict> CatalogStore::verdict(std::string_view command_id) const {
  const auto hash = CommandOutcomes::hash(command_id);
  const std::lock_guard lock(impl_->mutex);
  return impl_->outcomes.find(hash);
}

std::optional<CommandOutcome> CatalogStore::outcome(std::string_view command_id) const {
  const auto found = verdict(command_id);
  return found ? std::optional(found->outcome) : std::nullopt;
}

std::vector<Demand> CatalogStore::demands_after(Offset catalog_offset, std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  const auto& all = impl_->demands;
  const auto first = std::upper_bound(
      all.begin(), all.end(), catalog_offset,
      [](Offset offset, const Demand& demand) { return offset < demand.catalog_offset; });
  const auto n = std::min(limit, static_cast<std::size_t>(all.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(n)};
}

std::uint64_t CatalogStore::highest_number(std::string_view kind) const {
  return impl_->numbers.highest(kind);
}

std::uint64_t CatalogStore::highest_user() const { return impl_->accounts.highest_user(); }

Result<std::vector<CatalogDeadLetter>> CatalogStore::dead_letters(Offset from,
                                                                  std::size_t limit) const {
  std::vector<CatalogDeadLetter> out;
  const auto prefix = keys::of(keys::kDeadLetter);
  const auto first =
      keys::of(keys::kDeadLetter, static_cast<std::uint64_t>(std::max<Offset>(from, 0)));
  if (limit == 0) return out;
  MILLRACE_CHECK(impl_->db->scan(prefix, first, [&](auto, auto value) {
    proto::DeadLetter letter;
    if (letter.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      out.push_back({letter.offset(), letter.log_time_ms(), letter.reason(), letter.record()});
    }
    return out.size() < limit;
  }));
  return out;
}

Digest CatalogStore::digest() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->committed_sum;
}

Status CatalogStore::for_each_fact(
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  bool more = true;
  for (const char row : keys::kFacts) {
    if (!more) break;
    MILLRACE_CHECK(impl_->db->scan(keys::of(row), {}, [&](auto key, auto value) {
      more = visit(key, value);
      return more;
    }));
  }
  return {};
}

Result<Digest> CatalogStore::scan_digest() const {
  Digest total;
  MILLRACE_CHECK(for_each_fact([&](auto key, auto value) {
    total += row_digest(key, value);
    return true;
  }));
  return total;
}

Db& CatalogStore::db() { return *impl_->db; }

std::size_t CatalogStore::memory_bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->memory + impl_->outcomes.memory_bytes() + impl_->trail.memory_bytes() +
         impl_->anomalies.memory_bytes() + impl_->reports.memory_bytes();
}

}  // namespace millrace::state
