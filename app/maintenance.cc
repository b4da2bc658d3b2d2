#include "app/maintenance.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

#include "base/log.h"
#include "state/checkpoint.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAgedMs = 3'600'000;

// Opens a checkpoint as verification would and recomputes what its rows add up to.
Status check(const std::string& directory, const state::CheckpointManifest& manifest,
             Metrics& metrics) {
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

}  // namespace

Maintenance::Maintenance(Options options, processors::Engine& engine, ingest::EventLog& log,
                         const Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      engine_(engine),
      log_(log),
      clock_(clock),
      checkpoints_(metrics.counter("checkpoints_total", "Checkpoints made and verified.")),
      checkpoint_age_(metrics.gauge("checkpoint_created_timestamp_seconds",
                                    "When the newest checkpoint was made; 0: never.")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Maintenance::~Maintenance() {
  thread_.request_stop();
  stopped_.notify_all();
}

Result<std::string> Maintenance::checkpoint() {
  const std::lock_guard lock(one_at_a_time_);
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
  Metrics scratch;
  if (auto checked = check(making, *manifest, scratch); !checked) return discard(checked.error());
  if (auto sealed = state::seal_checkpoint(making, *manifest); !sealed)
    return discard(sealed.error());
  fs::rename(making, path, error);
  if (error) return discard({Code::kIo, "cannot rename " + making + ": " + error.message(), {}});
  auto all = state::list_checkpoints(options_.checkpoints);
  for (std::size_t i = 0; i + options_.keep < all.size(); ++i) fs::remove_all(all[i], error);
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

void Maintenance::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopped_.wait_for(lock, stop, std::chrono::milliseconds(options_.every_ms),
                      [] { return false; });
    if (stop.stop_requested()) return;
    const auto trimmed = trim_if_due();
    if (!trimmed) log_error("the log was not trimmed: " + trimmed.error().detail);
  }
}

}  // namespace millrace::app
