#include "app/maintenance.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/log.h"
#include "processors/expiry.h"
#include "state/checkpoint.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAgedMs = 3'600'000;
constexpr std::int64_t kExpireEveryMs = 3'600'000;

// How long ago a file or folder was written to; nothing when that cannot be told.
std::optional<std::int64_t> age_ms(const fs::path& path) {
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  if (error) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(fs::file_time_type::clock::now() -
                                                               written)
      .count();
}

}  // namespace

Status check_checkpoint(const std::string& directory, const state::CheckpointManifest& manifest) {
  Metrics metrics;
  const state::RocksShared shared({});
  state::NameTable items;
  state::CatalogNames names;
  for (const auto& [partition, entry] : manifest.partitions) {
    const auto folder = fs::path(directory) / state::database_folder(partition);
    state::Digest digest;
    if (partition.topic == Topic::kCatalog) {
      MILLRACE_TRY(const auto store, state::CatalogStore::open({folder, state::Db::Mode::kReadOnly},
                                                               shared, items, names, metrics));
      MILLRACE_TRY(digest, store->scan_digest());
    } else {
      state::PartitionStore::Options options;
      options.directory = folder;
      options.partition = partition.index;
      options.mode = state::Db::Mode::kReadOnly;
      MILLRACE_TRY(const auto store,
                   state::PartitionStore::open(options, shared, items, names, metrics));
      MILLRACE_TRY(digest, store->scan_digest());
    }
    if (digest != entry.digest) {
      return fail(Code::kCorrupt, folder.string() +
                                      ": the checkpoint's rows do not add up to the "
                                      "state's digest; run `millrace verify`");
    }
  }
  return {};
}

Maintenance::Maintenance(Options options, processors::Engine& engine, ingest::EventLog& log,
                         const Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      engine_(engine),
      log_(log),
      clock_(clock),
      checkpoints_(metrics.counter("checkpoints_total", "Checkpoints made and verified.")),
      checkpoint_age_(metrics.gauge("checkpoint_created_timestamp_seconds",
                                    "When the newest checkpoint was made; 0: never.")),
      expired_people_(metrics.counter(
          "tracked_expirations_total",
          "People some of whose tracked rows were beyond retention and left the disk.")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Maintenance::~Maintenance() {
  thread_.request_stop();
  stopped_.notify_all();
}

std::string Maintenance::young_enough(std::int64_t max_age_ms) const {
  const auto all = state::list_checkpoints(options_.checkpoints);
  if (max_age_ms <= 0 || all.empty()) return {};
  const auto age = age_ms(fs::path(all.back()) / state::kManifestName);
  return age && *age <= max_age_ms ? all.back() : std::string();
}

void Maintenance::remove_old() const {
  const auto all = state::list_checkpoints(options_.checkpoints);
  for (std::size_t i = 0; i + options_.keep < all.size(); ++i) {
    const auto read = age_ms(all[i]);
    std::error_code ignored;
    if (!read || *read > options_.reading_ms) fs::remove_all(all[i], ignored);
  }
}

Result<std::string> Maintenance::checkpoint(std::int64_t max_age_ms) {
  const std::lock_guard lock(one_at_a_time_);
  if (auto young = young_enough(max_age_ms); !young.empty()) return young;
  std::error_code error;
  fs::create_directories(options_.checkpoints, error);
  const auto [path, making] = state::next_checkpoint(options_.checkpoints);
  fs::remove_all(making, error);
  const auto discard = [&making](Error reason) {
    std::error_code ignored;
    fs::remove_all(making, ignored);
    return tl::unexpected<Error>(std::move(reason));
  };
  const auto manifest = engine_.checkpoint(making);
  if (!manifest) return discard(manifest.error());
  if (auto checked = check_checkpoint(making, *manifest); !checked) return discard(checked.error());
  if (auto sealed = state::seal_checkpoint(making, *manifest); !sealed)
    return discard(sealed.error());
  fs::rename(making, path, error);
  if (error) return discard({Code::kIo, "cannot rename " + making + ": " + error.message(), {}});
  remove_old();
  checkpoints_.inc();
  checkpoint_age_.set(static_cast<double>(clock_.now()) / 1000.0);
  return path;
}

bool Maintenance::over_limits() const {
  if (options_.retention_bytes > 0 && log_.size_bytes() > options_.retention_bytes) return true;
  if (options_.retention_ms <= 0) return false;
  for (const auto& status : engine_.status()) {
    const auto oldest = log_.read(status.partition, status.log_start, 1, 1);
    if (oldest && !oldest->empty() &&
        oldest->front().append_time < clock_.now() - options_.retention_ms) {
      return true;
    }
  }
  return false;
}

Result<bool> Maintenance::trim_if_due() {
  // Whole segments are trimmed: a checkpoint pays only once the log has grown by about one, or
  // aged.
  const bool grown = log_.size_bytes() >= size_after_trim_ + options_.segment_bytes;
  const bool aged = clock_.now() >= trimmed_at_ + kAgedMs;
  if (!(grown || aged) || !over_limits()) return false;
  MILLRACE_TRY(const auto path, checkpoint());
  MILLRACE_TRY(const auto manifest, state::read_manifest(path));
  std::vector<std::pair<LogPartition, Offset>> keep;
  for (const auto& [partition, entry] : manifest.partitions) {
    keep.emplace_back(partition, entry.next_offset);
  }
  MILLRACE_CHECK(log_.trim(keep));
  size_after_trim_ = log_.size_bytes();
  trimmed_at_ = clock_.now();
  return true;
}

Status Maintenance::expire_if_due() {
  if (clock_.now() < expired_at_ + kExpireEveryMs) return {};
  MILLRACE_TRY(const auto expiry, processors::demand_expiry(engine_, log_, clock_.now()));
  expired_people_.inc(static_cast<double>(expiry.people));
  if (!expiry.more) expired_at_ = clock_.now();
  return {};
}

void Maintenance::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopped_.wait_for(lock, stop, std::chrono::milliseconds(options_.every_ms),
                      [] { return false; });
    if (stop.stop_requested()) return;
    const auto trimmed = trim_if_due();
    if (!trimmed) log_error("the log was not trimmed: " + trimmed.error().detail);
    const auto expired = expire_if_due();
    if (!expired) log_error("rows beyond retention stay on disk: " + expired.error().detail);
    const auto audited = options_.audit ? options_.audit() : Status();
    if (!audited) log_error("no security audit: " + audited.error().detail);
  }
}

}  // namespace millrace::app
