#include "processors/engine.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::processors {
namespace {

// Shares of the memory budget: the duplicate windows and a training take an eighth each
// (app/engine_options.cc), and a seventh is left for lists, cells and the catalog.
constexpr std::size_t kCacheShare = 12;        // RocksDB's blocks: 1/12
constexpr std::size_t kWriteBufferShare = 16;  // RocksDB's write buffers: 1/16
constexpr std::size_t kPeopleShare = 7;        // people in memory: 1/7
constexpr std::size_t kCooccurrenceShare = 7;  // 1/7
constexpr std::size_t kRatingsShare = 32;      // 1/32
constexpr std::size_t kMatrixShare = 12;       // 1/12
constexpr std::size_t kSessionsShare = 32;     // 1/32
constexpr std::size_t kFatigueShare = 128;     // who has been shown what: 1/128
constexpr double kElsewhere = 2.0 / 8 + 1.0 / 7;
static_assert(1.0 / kCacheShare + 1.0 / kWriteBufferShare + 1.0 / kPeopleShare +
                  1.0 / kCooccurrenceShare + 1.0 / kRatingsShare + 1.0 / kMatrixShare +
                  1.0 / kSessionsShare + 1.0 / kFatigueShare + kElsewhere <=
              1);

constexpr int kMergeWaitMs = 2;  // between looks at what a merge waits for

constexpr Offset kTailRecords = 100'000;  // of a partition, read again at a start
constexpr std::size_t kTailBatch = 4'096;
constexpr std::size_t kTailBytes = 4u << 20;

// Trend accumulators are kept in epochs of the half-lives they were made with.
Status check_half_lives(const Ruleset& kept, const Ruleset& proposed) {
  if (kept.types.empty() || (kept.short_half_life_ms == proposed.short_half_life_ms &&
                             kept.long_half_life_ms == proposed.long_half_life_ms)) {
    return {};
  }
  return fail(Code::kInvalid,
              "this log's trends have half-lives of " + std::to_string(kept.short_half_life_ms) +
                  " and " + std::to_string(kept.long_half_life_ms) +
                  " ms, which cannot be changed: keep them in the configuration",
              "rules.short_half_life");
}

}  // namespace

Engine::Engine(const EngineOptions& options, ingest::EventLog& log, const Clock& clock,
               Metrics& metrics)
    : options_(options),
      log_(log),
      clock_(clock),
      metrics_(metrics),
      apply_threads_(std::clamp<std::size_t>(static_cast<std::size_t>(options.apply_threads), 1,
                                             log.interaction_partitions())),
      bells_(apply_threads_ + 1),
      shared_({.cache_bytes = options.memory_bytes / kCacheShare,
               .write_buffer_bytes = options.memory_bytes / kWriteBufferShare}),
      commits_(metrics),
      tests_({options.prequential.share, options.prequential.queue}, metrics),
      publisher_(
          log.interaction_partitions(),
          [this](const std::vector<state::ItemIndex>& touched) { views_->update_lists(touched); },
          metrics, Drive::kThread, [this] { tap_.published(); }) {}

Engine::~Engine() { stop(); }

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, ingest::EventLog& log,
                                             const Clock& clock, Metrics& metrics) {
  std::unique_ptr<Engine> engine(new Engine(options, log, clock, metrics));
  MILLRACE_CHECK(engine->open_stores());
  return engine;
}

Status Engine::open_stores() {
  const std::filesystem::path root(options_.directory);
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return fail(Code::kIo, "cannot create " + root.string() + ": " + error.message());
  MILLRACE_TRY(catalog_, state::CatalogStore::open(
                             {.directory = root / state::database_folder(kCatalogPartition)},
                             shared_, items_, names_, metrics_));
  const auto partitions = log_.interaction_partitions();
  std::vector<const state::PartitionStore*> readable;
  for (std::uint16_t p = 0; p < partitions; ++p) {
    state::PartitionStore::Options store;
    store.directory = root / state::database_folder({Topic::kInteractions, p});
    store.partition = p;
    store.cache_bytes = options_.memory_bytes / kPeopleShare / partitions;
    MILLRACE_TRY(auto opened,
                 state::PartitionStore::open(store, shared_, items_, names_, metrics_));
    if (options_.on_batch) {
      opened->db().on_write([this, p](std::string_view batch) -> Status {
        options_.on_batch(p, batch);
        return {};
      });
    }
    readable.push_back(opened.get());
    stores_.push_back(std::move(opened));
  }
  views_ = std::make_unique<LiveViews>(
      *catalog_, readable, items_, names_, options_.ranking,
      LiveViews::Budgets{
          options_.memory_bytes / kCooccurrenceShare, options_.memory_bytes / kRatingsShare,
          options_.memory_bytes / kMatrixShare, options_.memory_bytes / kSessionsShare,
          options_.memory_bytes / kFatigueShare},
      metrics_, options_.prequential.learn);
  prequential_ = std::make_unique<Prequential>(
      options_.prequential, Prequential::Parts{views_.get(), catalog_.get(), &publisher_, &log_,
                                               &tests_, &clock_, &metrics_});
  CatalogRunner::Parts catalog{&log_, catalog_.get(), &publisher_,
                               {},    &metrics_,      options_.interaction_weights};
  for (std::uint16_t p = 0; p < partitions; ++p) {
    catalog.partitions.push_back(stores_[p].get());
    const RunnerParts parts{&log_,        stores_[p].get(),
                            views_.get(), &commits_,
                            &publisher_,  &clock_,
                            &metrics_,    [&bell = bells_[p % apply_threads_]] { bell.ring(); },
                            &tap_,        &tests_};
    runners_.push_back(
        std::make_unique<PartitionRunner>(p, parts, options_.commit, options_.batch_records));
    MILLRACE_CHECK(runners_.back()->check_log());
  }
  catalog_runner_ =
      std::make_unique<CatalogRunner>(std::move(catalog), options_.commit.interval_ms);
  return catalog_runner_->check_log();
}

// What views hold that facts do not is read from the log again, as far back as it may matter.
Status Engine::replay_tail(std::uint16_t partition) {
  const LogPartition from{Topic::kInteractions, partition};
  const auto end = stores_[partition]->published().next_offset;
  auto next = std::max(log_.start(from), end - kTailRecords);
  while (next < end) {
    MILLRACE_TRY(const auto records, log_.read(from, next, kTailBatch, kTailBytes));
    if (records.empty()) return {};  // out of reach now: these views begin anew
    for (const auto& record : records) {
      if (record.offset < end) views_->replay(partition, record);
    }
    next = records.back().offset + 1;
  }
  return {};
}

Status Engine::start(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  MILLRACE_CHECK(views_->rebuild());
  for (std::uint16_t p = 0; p < partitions(); ++p) MILLRACE_CHECK(replay_tail(p));
  metrics_.on_scrape([this] { refresh_gauges(); });
  log_.on_durable([this] { wake_those_behind(); });
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    publisher_.offer({Topic::kInteractions, p}, stores_[p]->published().next_offset, {}, false);
  }
  publisher_.offer(kCatalogPartition, catalog_->next_offset(), {}, false);

  const auto total = total_lag();
  if (total > 0) progress(0, total);
  for (std::size_t t = 0; t < apply_threads_; ++t) {
    threads_.emplace_back([this, t](const std::stop_token& stop) { run_partitions(stop, t); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) { run_catalog(stop); });

  Position ends;
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    if (log_.end(partition) > 0) ends.include(partition, log_.end(partition) - 1);
  }
  if (log_.end(kCatalogPartition) > 0)
    ends.include(kCatalogPartition, log_.end(kCatalogPartition) - 1);
  while (!publisher_.wait_reached(ends, 1000)) {
    if (!failure().empty()) return fail(Code::kCorrupt, failure());
    progress(total - std::min(total, total_lag()), total);
  }
  MILLRACE_CHECK(propose_ruleset());
  prequential_->start();
  return {};
}

Status Engine::propose_ruleset() {
  std::vector<InteractionTypeName> known;
  for (const auto& store : stores_) {
    for (const auto& type : store->ruleset().types) {
      if (std::find(known.begin(), known.end(), type) == known.end()) known.push_back(type);
    }
  }
  table_ = std::make_shared<const InteractionTable>(options_.interaction_weights, known);
  auto proposed = options_.proposed;
  proposed.types = table_->names();
  for (const auto& store : stores_) MILLRACE_CHECK(check_half_lives(store->ruleset(), proposed));
  std::vector<ingest::Append> appends;
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    if (stores_[p]->ruleset() == proposed) continue;
    appends.push_back({{Topic::kInteractions, p}, {}, encode(LogRecord{proposed})});
  }
  if (appends.empty()) return {};
  std::vector<LogPartition> targets;
  for (const auto& append : appends) targets.push_back(append.partition);
  MILLRACE_TRY(const auto offsets, log_.append_and_wait(std::move(appends)));
  Position position;
  for (std::size_t i = 0; i < offsets.size(); ++i) position.include(targets[i], offsets[i]);
  while (!publisher_.wait_reached(position, 1000)) {
    if (!failure().empty()) return fail(Code::kCorrupt, failure());
  }
  return {};
}

void Engine::stop() {
  if (std::exchange(stopped_, true)) return;
  if (prequential_) prequential_->stop();
  log_.on_durable([] {});
  for (auto& thread : threads_) thread.request_stop();
  for (auto& bell : bells_) bell.ring();
  threads_.clear();
  if (!catalog_runner_) return;
  const auto status = commit_all();
  if (!status)
    log_warn("the last commit was not written, the log has it: " + status.error().detail);
}

void Engine::run_partitions(const std::stop_token& stop, std::size_t thread) {
  while (!stop.stop_requested()) {
    bool worked = false;
    int due_ms = 1000;
    for (std::size_t p = thread; p < runners_.size(); p += apply_threads_) {
      const auto step_lock = enter_step();
      const auto step = runners_[p]->step();
      if (!step) return fail_with("partition " + std::to_string(p) + ": " + step.error().detail);
      worked |= *step;
      const int due = runners_[p]->commit_due_ms();
      if (due >= 0) due_ms = std::min(due_ms, std::max(due, 1));
    }
    if (!worked) bells_[thread].wait(std::chrono::milliseconds(due_ms));
  }
}

void Engine::run_catalog(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool worked = false;
    int due_ms = 1000;
    {
      const auto step_lock = enter_step();
      const auto step = catalog_runner_->step();
      if (!step) return fail_with("catalog: " + step.error().detail);
      worked = *step;
      const auto committed = catalog_runner_->commit_if_due();
      if (!committed) {
        log_error("a catalog commit failed, it will be tried again: " + committed.error().detail);
        const auto reopened = catalog_->db().reopen();
        if (!reopened) log_error("the catalog cannot be reopened: " + reopened.error().detail);
      }
      const int due = catalog_runner_->commit_due_ms();
      if (due >= 0) due_ms = std::max(due, committed ? 1 : 500);
    }
    const auto carried = catalog_runner_->carry();
    if (!carried || !*carried) due_ms = std::min(due_ms, carried ? kMergeWaitMs : 100);
    if (!worked) bells_.back().wait(std::chrono::milliseconds(due_ms));
  }
}

// A thread whose partitions have nothing new sleeps on: on few cores it would only take the place
// of the one that has.
void Engine::wake_those_behind() {
  for (std::size_t p = 0; p < runners_.size(); ++p) {
    if (runners_[p]->lag() > 0) bells_[p % apply_threads_].ring();
  }
  if (catalog_runner_->lag() > 0) bells_.back().ring();
}

std::shared_lock<std::shared_mutex> Engine::enter_step() {
  const std::lock_guard turn(turnstile_);
  return std::shared_lock(pause_);
}

std::unique_lock<std::shared_mutex> Engine::enter_pause() {
  const std::lock_guard turn(turnstile_);
  return std::unique_lock(pause_);
}

void Engine::fail_with(const std::string& reason) {
  log_error("stopped applying: " + reason);
  const std::lock_guard lock(mutex_);
  failure_ = reason;
}

std::string Engine::failure() const {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) return failure_;
  }
  return commits_.failure();
}

std::uint64_t Engine::total_lag() const {
  std::uint64_t lag = catalog_runner_->lag();
  for (const auto& runner : runners_) lag += runner->lag();
  return lag;
}

Position Engine::open_tap(std::size_t max_bytes) {
  const auto pause = enter_pause();
  tap_.open(max_bytes);
  Position at;
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const auto next = stores_[p]->published().next_offset;
    if (next > 0) at.include({Topic::kInteractions, p}, next - 1);
  }
  return at;
}

void Engine::digest_at(std::uint16_t partition, Offset offset,
                       std::function<void(Result<state::Digest>)> done) {
  runners_[partition]->digest_at(offset, std::move(done));
}

Status Engine::commit_all() {
  const auto pause = enter_pause();
  return commit_paused();
}

Status Engine::commit_paused() {
  for (const auto& runner : runners_) runner->commit_now();
  MILLRACE_CHECK(catalog_->commit());
  if (!commits_.drain()) return fail(Code::kIo, commits_.failure());
  return {};
}

Result<state::CheckpointManifest> Engine::checkpoint(const std::string& directory) {
  const auto pause = enter_pause();
  MILLRACE_CHECK(commit_paused());
  const std::filesystem::path root(directory);
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return fail(Code::kIo, "cannot create " + directory + ": " + error.message());
  state::CheckpointManifest manifest;
  MILLRACE_CHECK(catalog_->db().checkpoint(root / state::database_folder(kCatalogPartition)));
  manifest.partitions[kCatalogPartition] = {catalog_->next_offset(), catalog_->digest()};
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    MILLRACE_CHECK(stores_[p]->db().checkpoint(root / state::database_folder(partition)));
    const auto [offset, digest] = stores_[p]->digest();
    manifest.partitions[partition] = {offset, digest};
  }
  return manifest;
}

std::vector<PartitionStatus> Engine::status() const {
  std::vector<PartitionStatus> all;
  for (std::uint16_t p = 0; p < partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    all.push_back({partition, log_.start(partition), log_.end(partition),
                   publisher_.visible(partition), stores_[p]->digest().first,
                   stores_[p]->dedupe_window_hours()});
  }
  all.push_back({kCatalogPartition, log_.start(kCatalogPartition), log_.end(kCatalogPartition),
                 publisher_.visible(kCatalogPartition), catalog_->next_offset(), 0});
  return all;
}

std::vector<MemoryPart> Engine::memory_parts() const {
  std::vector<MemoryPart> parts = views_->memory_parts();
  parts.push_back({"rocksdb", shared_.memory_bytes()});
  parts.push_back({"names", items_.memory_bytes()});
  parts.push_back({"catalog", catalog_->memory_bytes()});
  for (const auto& store : stores_) {
    for (const MemoryPart& part : store->memory_parts()) {
      const auto known =
          std::ranges::find_if(parts, [&](const MemoryPart& p) { return p.name == part.name; });
      if (known != parts.end()) {
        known->bytes += part.bytes;
      } else {
        parts.push_back(part);
      }
    }
  }
  return parts;
}

void Engine::refresh_gauges() {
  state::DbFigures sum;
  for (const auto& store : stores_) {
    const auto figures = store->db().figures();
    sum.stall_micros += figures.stall_micros;
    sum.pending_compaction_bytes += figures.pending_compaction_bytes;
    sum.level0_files += figures.level0_files;
    sum.background_errors += figures.background_errors;
    sum.disk_bytes += figures.disk_bytes;
  }
  const auto set = [this](const char* name, const char* help, double value) {
    metrics_.gauge(name, help).set(value);
  };
  set("rocksdb_stall_seconds", "Time that RocksDB held writers up.",
      static_cast<double>(sum.stall_micros) / 1e6);
  set("rocksdb_pending_compaction_bytes", "Bytes that compaction has yet to rewrite.",
      static_cast<double>(sum.pending_compaction_bytes));
  set("rocksdb_num_files_l0", "Files on level 0.", static_cast<double>(sum.level0_files));
  set("rocksdb_background_errors", "Background errors of RocksDB.",
      static_cast<double>(sum.background_errors));
  set("state_disk_bytes", "Bytes that state takes on disk.", static_cast<double>(sum.disk_bytes));
  std::error_code unknown;
  const auto space = std::filesystem::space(options_.directory, unknown);
  if (!unknown) {
    set("state_disk_free_bytes", "Free bytes where state lives.",
        static_cast<double>(space.available));
  }
  const auto parts = memory_parts();
  for (const MemoryPart& part : parts) {
    metrics_
        .gauge("state_memory_part_bytes", "What each part of state_memory_bytes takes.",
               {{"part", std::string(part.name)}})
        .set(static_cast<double>(part.bytes));
  }
  set("state_memory_bytes", "Bytes that state takes in memory, as accounted.",
      static_cast<double>(sum_of(parts)));
  set("state_memory_budget_bytes", "What --memory allows state.",
      static_cast<double>(options_.memory_bytes));
}

}  // namespace millrace::processors
