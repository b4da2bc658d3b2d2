#include "processors/verify.h"

#include <filesystem>
#include <map>
#include <memory>

#include "base/clock.h"
#include "processors/apply.h"
#include "state/catalog_store.h"
#include "state/checkpoint.h"
#include "state/partition_store.h"

namespace millrace::processors {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchRecords = 4096;
constexpr std::size_t kBatchBytes = 4u << 20;
constexpr std::int64_t kProgressUs = 1'000'000;

// Views rest on facts; they are not compared.
struct NoViews final : ViewSink {
  void entered(std::uint16_t, std::string_view, state::ItemIndex,
               const std::vector<state::ItemIndex>&) override {}
  void visited(const Visit&) override {}
  void erased(std::uint16_t, std::string_view, const std::vector<state::ItemIndex>&,
              std::uint32_t) override {}
  void settle(std::uint16_t) override {}
  std::shared_ptr<const state::Profile> changed(std::uint16_t, const state::Profile*,
                                                const state::Person&, const state::ItemRow&,
                                                const state::ItemRow&, state::ItemIndex) override {
    return nullptr;
  }
  void rated(const InteractionView&, Offset, state::ItemIndex) override {}
  void forgotten(std::string_view, state::ItemIndex) override {}
};

struct Names {
  state::NameTable items;
  state::CatalogNames catalog;
};

// What one verification works with.
struct Work {
  const VerifyOptions& options;
  const ingest::EventLog& log;
  Metrics& metrics;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress;
  const state::RocksShared& shared;
  Names stored_names;
  Names rebuilt_names;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::int64_t told_us = 0;

  void count(std::size_t records) {
    done += records;
    if (steady_micros() - told_us < kProgressUs) return;
    told_us = steady_micros();
    progress(done, total);
  }
};

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

template <class Store>
Result<std::map<std::string, state::Digest>> rows_of(const Store& store) {
  std::map<std::string, state::Digest> rows;
  MILLRACE_CHECK(store.for_each_fact([&rows](std::string_view key, std::string_view value) {
    rows[std::string(key)] = state::row_digest(key, value);
    return true;
  }));
  return rows;
}

template <class Store>
Status name_differences(VerifyReport& report, const Store& stored, const Store& rebuilt,
                        std::size_t limit) {
  MILLRACE_TRY(const auto a, rows_of(stored));
  MILLRACE_TRY(const auto b, rows_of(rebuilt));
  const auto note = [&report, limit](const std::string& key, const char* what) {
    if (report.differences.size() < limit) report.differences.push_back(hex(key) + " " + what);
  };
  for (const auto& [key, digest] : a) {
    const auto other = b.find(key);
    if (other == b.end()) {
      note(key, "is stored but not in the log");
    } else if (other->second != digest) {
      note(key, "differs");
    }
  }
  for (const auto& [key, digest] : b) {
    if (!a.contains(key)) note(key, "is missing");
  }
  return {};
}

Status start_from_checkpoint(const Work& work, LogPartition partition, const fs::path& to) {
  if (work.options.checkpoint.empty()) return {};
  const auto folder = state::database_folder(partition);
  return state::copy_folder(fs::path(work.options.checkpoint) / folder, to);
}

Status check_start(const Work& work, LogPartition partition, Offset from) {
  if (work.log.start(partition) <= from) return {};
  return fail(Code::kNotFound, state::database_folder(partition) + ": the log starts at " +
                                   std::to_string(work.log.start(partition)) +
                                   ": name a checkpoint to start from");
}

Result<VerifyReport> verify_partition(Work& work, std::uint16_t p) {
  const LogPartition partition{Topic::kInteractions, p};
  const auto folder = state::database_folder(partition);
  state::PartitionStore::Options options;
  options.partition = p;
  options.directory = fs::path(work.options.state) / folder;
  options.mode = state::Db::Mode::kReadOnly;
  MILLRACE_TRY(const auto stored,
               state::PartitionStore::open(options, work.shared, work.stored_names.items,
                                           work.stored_names.catalog, work.metrics));
  options.directory = fs::path(work.options.scratch) / folder;
  options.mode = state::Db::Mode::kReadWrite;
  MILLRACE_CHECK(start_from_checkpoint(work, partition, options.directory));
  MILLRACE_TRY(const auto rebuilt,
               state::PartitionStore::open(options, work.shared, work.rebuilt_names.items,
                                           work.rebuilt_names.catalog, work.metrics));
  const auto end = stored->published().next_offset;
  MILLRACE_CHECK(check_start(work, partition, rebuilt->applied().next_offset));
  NoViews views;
  Applier applier(*rebuilt, views);
  while (rebuilt->applied().next_offset < end) {
    MILLRACE_TRY(auto batch, work.log.read(partition, rebuilt->applied().next_offset, kBatchRecords,
                                           kBatchBytes));
    while (!batch.empty() && batch.back().offset >= end) batch.pop_back();
    if (batch.empty()) return fail(Code::kCorrupt, folder + ": the log ends before the state does");
    MILLRACE_CHECK(applier.apply(batch));
    rebuilt->publish();
    if (const auto commit = rebuilt->freeze()) MILLRACE_CHECK(rebuilt->write(*commit));
    work.count(batch.size());
  }
  VerifyReport report{partition, end, {}, stored->digest().second, rebuilt->digest().second, {}};
  MILLRACE_TRY(report.stored, stored->scan_digest());
  if (!report.ok()) {
    MILLRACE_CHECK(name_differences(report, *stored, *rebuilt, work.options.max_differences));
  }
  return report;
}

Result<VerifyReport> verify_catalog(Work& work) {
  const auto folder = state::database_folder(kCatalogPartition);
  const auto open = [&work](const fs::path& directory, state::Db::Mode mode, Names& names) {
    return state::CatalogStore::open({directory, mode}, work.shared, names.items, names.catalog,
                                     work.metrics);
  };
  MILLRACE_TRY(const auto stored, open(fs::path(work.options.state) / folder,
                                       state::Db::Mode::kReadOnly, work.stored_names));
  const auto scratch = fs::path(work.options.scratch) / folder;
  MILLRACE_CHECK(start_from_checkpoint(work, kCatalogPartition, scratch));
  MILLRACE_TRY(const auto rebuilt, open(scratch, state::Db::Mode::kReadWrite, work.rebuilt_names));
  const auto end = stored->next_offset();
  auto next = rebuilt->next_offset();
  MILLRACE_CHECK(check_start(work, kCatalogPartition, next));
  while (next < end) {
    MILLRACE_TRY(const auto batch,
                 work.log.read(kCatalogPartition, next, kBatchRecords, kBatchBytes));
    if (batch.empty()) return fail(Code::kCorrupt, folder + ": the log ends before the state does");
    for (const auto& record : batch) {
      if (record.offset >= end) break;
      rebuilt->apply(record.offset, record.append_time, record.bytes);
    }
    next = batch.back().offset + 1;
    work.count(batch.size());
  }
  rebuilt->publish();
  MILLRACE_CHECK(rebuilt->commit());
  VerifyReport report{kCatalogPartition, end, {}, stored->digest(), rebuilt->digest(), {}};
  MILLRACE_TRY(report.stored, stored->scan_digest());
  if (!report.ok()) {
    MILLRACE_CHECK(name_differences(report, *stored, *rebuilt, work.options.max_differences));
  }
  return report;
}

}  // namespace

Result<std::vector<VerifyReport>> verify(
    const VerifyOptions& options, const ingest::EventLog& log, Metrics& metrics,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const state::RocksShared shared({});
  Work work{options, log, metrics, progress, shared, {}, {}};
  for (std::uint16_t p = 0; p < log.interaction_partitions(); ++p) {
    work.total += static_cast<std::uint64_t>(log.end({Topic::kInteractions, p}));
  }
  work.total += static_cast<std::uint64_t>(log.end(kCatalogPartition));
  std::vector<VerifyReport> reports;
  for (std::uint16_t p = 0; p < log.interaction_partitions(); ++p) {
    MILLRACE_TRY(auto report, verify_partition(work, p));
    reports.push_back(std::move(report));
  }
  MILLRACE_TRY(auto catalog, verify_catalog(work));
  reports.push_back(std::move(catalog));
  std::error_code ignored;
  fs::remove_all(options.scratch, ignored);
  return reports;
}

}  // namespace millrace::processors
