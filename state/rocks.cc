#include "state/rocks.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_buffer_manager.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <system_error>

namespace millrace::state {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMiB = 1u << 20;

tl::unexpected<Error> failed(const rocksdb::Status& status, const std::string& doing) {
  return fail(status.IsCorruption() ? Code::kCorrupt : Code::kIo, doing + ": " + status.ToString());
}

bool has_lz4() {
  const auto supported = rocksdb::GetSupportedCompressions();
  return std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression) != supported.end();
}

// RocksDB hands even empty text to memcmp, which takes no null.
rocksdb::Slice slice(std::string_view text) {
  return text.empty() ? rocksdb::Slice() : rocksdb::Slice(text.data(), text.size());
}
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

Status sync_path(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return fail(Code::kIo, "open " + path.string() + ": " + std::strerror(errno));
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0) return fail(Code::kIo, "fsync " + path.string() + ": " + std::strerror(error));
  return {};
}

// RocksDB 7.8 leaves hard-linked WALs unsynced in a checkpoint, and says nothing of the parent.
Status sync_tree(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file()) MILLRACE_CHECK(sync_path(it->path(), O_RDONLY));
  }
  if (error) return fail(Code::kIo, "list " + directory.string() + ": " + error.message());
  MILLRACE_CHECK(sync_path(directory, O_RDONLY | O_DIRECTORY));
  return sync_path(fs::absolute(directory).parent_path(), O_RDONLY | O_DIRECTORY);
}

}  // namespace

struct RocksShared::Impl {
  std::unique_ptr<rocksdb::Env> memory;  // null: the machine's files
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  std::shared_ptr<rocksdb::RateLimiter> rate_limiter;
  std::size_t memtable_bytes = 0;
};

RocksShared::RocksShared(Options options) : impl_(std::make_unique<Impl>()) {
  if (options.in_memory) impl_->memory.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  // Write buffers are charged to the cache, so its capacity is what both may take together.
  impl_->cache = rocksdb::NewLRUCache(options.cache_bytes + options.write_buffer_bytes, 4);
  impl_->write_buffers =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes, impl_->cache);
  impl_->rate_limiter.reset(rocksdb::NewGenericRateLimiter(
      static_cast<std::int64_t>(std::max<std::size_t>(options.background_bytes_per_s, kMiB))));
  impl_->memtable_bytes = std::clamp(options.write_buffer_bytes / 6, kMiB, 16 * kMiB);
}

RocksShared::~RocksShared() = default;

std::size_t RocksShared::memory_bytes() const { return impl_->cache->GetUsage(); }

struct WriteBatch::Impl {
  rocksdb::WriteBatch batch;
};

WriteBatch::WriteBatch() : impl_(std::make_unique<Impl>()) {}
WriteBatch::WriteBatch(std::string_view recorded) : impl_(std::make_unique<Impl>()) {
  impl_->batch = rocksdb::WriteBatch(std::string(recorded));
}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

// Put and Delete fail only on a batch beyond its size limit, and none is set.
void WriteBatch::put(std::string_view key, std::string_view value) {
  impl_->batch.Put(slice(key), slice(value)).PermitUncheckedError();
}
void WriteBatch::erase(std::string_view key) {
  impl_->batch.Delete(slice(key)).PermitUncheckedError();
}
std::size_t WriteBatch::bytes() const { return impl_->batch.GetDataSize(); }
std::size_t WriteBatch::count() const { return impl_->batch.Count(); }

struct Db::Impl {
  explicit Impl(const RocksShared& budget) : shared(budget) {}
  const RocksShared& shared;
  Mode mode = Mode::kReadWrite;
  std::string directory;
  mutable std::shared_mutex use;  // exclusively while reopening
  std::shared_ptr<rocksdb::Statistics> statistics;
  std::unique_ptr<rocksdb::DB> db;
  std::atomic<bool> broken{false};
  std::function<Status(std::string_view)> observer;
  std::mutex why_lock;
  Error why;  // of the first failed write

  Status open();

  // Shared, and only of an open database: a failed reopen() leaves none.
  Result<std::shared_lock<std::shared_mutex>> hold() const {
    std::shared_lock guard(use);
    if (!db) return fail(Code::kUnavailable, directory + " could not be opened again");
    return guard;
  }

  Status note_failure(Error error) {
    const std::lock_guard guard(why_lock);
    if (!broken.exchange(true)) why = error;
    return tl::unexpected<Error>(std::move(error));
  }

  std::uint64_t number(const std::string& property) const {
    std::uint64_t value = 0;
    return db->GetIntProperty(property, &value) ? value : 0;
  }
};

namespace {

rocksdb::Options db_options(const RocksShared::Impl& shared,
                            std::shared_ptr<rocksdb::Statistics> statistics, bool create) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = shared.cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 8 * 1024;
  table.format_version = 5;

  rocksdb::Options options;
  options.create_if_missing = create;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = has_lz4() ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  options.write_buffer_manager = shared.write_buffers;
  options.write_buffer_size = shared.memtable_bytes;
  options.max_write_buffer_number = 3;
  options.memtable_whole_key_filtering = true;  // people seen for the first time are many
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.arena_block_size = 256 * 1024;
  // Commits write rows of a kind (the key's first byte) in order: each is looked for from the last.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  options.allow_concurrent_memtable_write = false;  // one commit thread per database
  if (shared.memory) options.env = shared.memory.get();
  if (!shared.memory)
    options.rate_limiter = shared.rate_limiter;  // 7.8's memory cannot do with one
  options.bytes_per_sync = kMiB;
  options.wal_bytes_per_sync = kMiB;
  options.max_background_jobs = 2;
  options.level_compaction_dynamic_level_bytes = true;
  options.target_file_size_base = 16 * kMiB;
  options.max_bytes_for_level_base = 64 * kMiB;
  options.max_open_files = 512;
  options.max_log_file_size = kMiB;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.statistics = std::move(statistics);
  return options;
}

}  // namespace

Status Db::Impl::open() {
  const auto options = db_options(shared.impl(), statistics, /*create=*/mode == Mode::kReadWrite);
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status;
  if (mode == Mode::kReadOnly) {
    status = rocksdb::DB::OpenForReadOnly(options, directory, &opened);
  } else {
    std::error_code error;
    if (!shared.impl().memory) fs::create_directories(directory, error);
    if (error) return fail(Code::kIo, "create " + directory + ": " + error.message());
    status = rocksdb::DB::Open(options, directory, &opened);
  }
  if (!status.ok()) return failed(status, "open database " + directory);
  db.reset(opened);
  return {};
}

Db::Db(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Db::~Db() = default;

Result<std::unique_ptr<Db>> Db::open(const std::string& directory, const RocksShared& shared,
                                     Mode mode) {
  auto impl = std::make_unique<Impl>(shared);
  impl->directory = directory;
  impl->mode = mode;
  impl->statistics = rocksdb::CreateDBStatistics();
  impl->statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  MILLRACE_CHECK(impl->open());
  return std::unique_ptr<Db>(new Db(std::move(impl)));
}

Status Db::reopen() {
  const std::unique_lock guard(impl_->use);
  impl_->db.reset();
  MILLRACE_CHECK(impl_->open());
  impl_->broken = false;
  return {};
}

Result<std::optional<std::string>> Db::get(std::string_view key) const {
  MILLRACE_TRY(const auto hold, impl_->hold());
  std::string value;
  const auto status = impl_->db->Get({}, slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return failed(status, "read " + impl_->directory);
  return std::optional<std::string>(std::move(value));
}

Result<std::vector<std::optional<std::string>>> Db::multi_get(
    std::span<const std::string> keys) const {
  std::vector<std::optional<std::string>> values(keys.size());
  if (keys.empty()) return values;
  MILLRACE_TRY(const auto hold, impl_->hold());
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  impl_->db->MultiGet({}, impl_->db->DefaultColumnFamily(), slices.size(), slices.data(),
                      found.data(), statuses.data());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return failed(statuses[i], "read " + impl_->directory);
    values[i].emplace(found[i].data(), found[i].size());
  }
  return values;
}

Status Db::scan(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  MILLRACE_TRY(const auto hold, impl_->hold());
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator({}));
  for (it->Seek(slice(std::max(prefix, from))); it->Valid(); it->Next()) {
    if (!it->key().starts_with(slice(prefix))) break;
    if (!visit(view(it->key()), view(it->value()))) break;
  }
  if (!it->status().ok()) return failed(it->status(), "scan " + impl_->directory);
  return {};
}

Status Db::write(const WriteBatch& batch) {
  MILLRACE_TRY(const auto hold, impl_->hold());
  if (impl_->broken) {
    const std::lock_guard guard(impl_->why_lock);
    return fail(impl_->why.code,
                "an earlier write failed, reopen the database: " + impl_->why.detail);
  }
  if (impl_->observer) {
    auto refused = impl_->observer(batch.impl().batch.Data());
    if (!refused) return impl_->note_failure(std::move(refused.error()));
  }
  const auto status = impl_->db->Write({}, &batch.impl().batch);
  if (!status.ok()) return impl_->note_failure(failed(status, "write " + impl_->directory).value());
  return {};
}

void Db::on_write(std::function<Status(std::string_view batch)> observer) {
  impl_->observer = std::move(observer);
}

Status Db::sync_wal() {
  MILLRACE_TRY(const auto hold, impl_->hold());
  const auto status = impl_->db->SyncWAL();
  if (!status.ok()) return impl_->note_failure(failed(status, "sync " + impl_->directory).value());
  return {};
}

Status Db::checkpoint(const std::string& directory) {
  MILLRACE_TRY(const auto hold, impl_->hold());
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(impl_->db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory, /*log_size_for_flush=*/0);
  if (!status.ok()) return failed(status, "checkpoint " + directory);
  MILLRACE_CHECK(sync_tree(directory));
  // 7.8 may reference a MANIFEST that is not there after an error: only an open tells.
  rocksdb::Options options;
  rocksdb::DB* db = nullptr;
  status = rocksdb::DB::OpenForReadOnly(options, directory, &db);
  if (!status.ok()) return failed(status, "verify checkpoint " + directory);
  const std::unique_ptr<rocksdb::DB> closes(db);
  return {};
}

DbFigures Db::figures() const {
  DbFigures figures;
  const auto hold = impl_->hold();
  if (!hold) return figures;
  figures.stall_micros = impl_->statistics->getTickerCount(rocksdb::STALL_MICROS);
  figures.pending_compaction_bytes =
      impl_->number(rocksdb::DB::Properties::kEstimatePendingCompactionBytes);
  figures.background_errors = impl_->number(rocksdb::DB::Properties::kBackgroundErrors);
  std::string level0;
  if (impl_->db->GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &level0)) {
    figures.level0_files = std::strtoull(level0.c_str(), nullptr, 10);
  }
  std::error_code error;
  for (fs::directory_iterator it(impl_->directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;  // compaction deletes files meanwhile
    const auto bytes = it->file_size(gone);
    if (!gone) figures.disk_bytes += bytes;
  }
  return figures;
}

}  // namespace millrace::state
