#include "state/catalog_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/state.pb.h"
#include "schemas/record.h"
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
  MILLRACE_CHECK(load_rest());
  builder.restore_offsets(applied.features_changed(), applied.added());
  if (const Digest kept = Digest::from_bytes(applied.digest()); !(kept == sum)) {
    log_error("catalog: the stored rows do not match their digest; run `millrace verify`");
    sum = kept;  // what the rows should sum up to, so that the difference stays visible
  }
  ready_sum = committed_sum = sum;
  published = progress;
  view = builder.build(progress.next_offset);
  memory = builder.memory_bytes();
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
    const Digest digest = row_digest(key, value);
    sum += digest;
    fact_digests.emplace(key, digest);
    return true;
  }));
  return status;
}

Status CatalogStore::Impl::load_rest() {
  const auto count_in = [&](std::string_view key, std::string_view value) {
    sum += row_digest(key, value);
  };
  MILLRACE_CHECK(db->scan(keys::of(keys::kDemand), {}, [&](auto key, auto value) {
    const auto offset = static_cast<Offset>(keys::from_big_endian(key.substr(1)));
    demands.push_back({offset, UserId(std::string(value))});
    count_in(key, value);
    return true;
  }));
  MILLRACE_CHECK(db->scan(keys::of(keys::kHighest), {}, [&](auto key, auto value) {
    highest[std::string(key.substr(1))] = keys::from_big_endian(value);
    fact_digests.emplace(key, row_digest(key, value));
    count_in(key, value);
    return true;
  }));
  Status status;
  MILLRACE_CHECK(db->scan(keys::of(keys::kOutcome), {}, [&](auto key, auto value) {
    CommandOutcomes::Hash hash;
    if (value.size() != hash.size() + 1) {
      status = corrupt_row(key);
      return false;
    }
    if (outcomes.next() == outcomes.first()) {
      outcomes.restore_from(keys::from_big_endian(key.substr(1)));
    }
    std::copy_n(value.begin(), hash.size(), hash.begin());
    outcomes.add(hash, static_cast<CommandOutcome>(value.back()));
    return true;
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

std::optional<CommandOutcome> CatalogStore::outcome(std::string_view command_id) const {
  const auto hash = CommandOutcomes::hash(command_id);
  const std::lock_guard lock(impl_->mutex);
  return impl_->outcomes.find(hash);
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
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->highest.find(kind);
  return found == impl_->highest.end() ? 0 : found->second;
}

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
  for (const char row : {keys::kDemand, keys::kItem, keys::kHighest}) {
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
  return impl_->memory + impl_->outcomes.memory_bytes() +
         impl_->fact_digests.size() * 80;  // keys and 16 bytes each
}

}  // namespace millrace::state
