// Append and read rates of the embedded log. usage: log [RECORDS [BYTES [DIRECTORY]]]
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "ingest/embedded_log.h"

namespace {

using namespace millrace;
using namespace millrace::ingest;

constexpr std::uint16_t kPartitions = 4;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void report(const char* what, std::size_t records, double seconds) {
  std::printf("%-44s %9.0f records/s  (%.2f s)\n", what, static_cast<double>(records) / seconds,
              seconds);
}

struct Bench {
  std::string directory;
  std::size_t bytes;
  Metrics metrics;
  SystemClock clock;

  std::unique_ptr<EmbeddedLog> open(Durability durability, std::size_t tail_bytes) {
    return EmbeddedLog::open({.directory = directory,
                              .interaction_partitions = kPartitions,
                              .tail_bytes = tail_bytes,
                              .durability = durability,
                              .metrics = &metrics,
                              .clock = &clock})
        .value();
  }

  // Appends of `per_append`, at most `in_flight` unanswered.
  void append(const char* what, Durability durability, std::size_t records, std::size_t per_append,
              int in_flight) {
    std::filesystem::remove_all(directory);
    const auto log = open(durability, 8u << 20);
    std::atomic<int> open_appends = 0;
    const std::string payload(bytes, 'r');
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t sent = 0; sent < records; sent += per_append) {
      std::vector<Append> group(per_append);
      for (std::size_t i = 0; i < per_append; ++i) {
        group[i] = {{Topic::kInteractions, static_cast<std::uint16_t>((sent + i) % kPartitions)},
                    {},
                    payload};
      }
      for (int now = open_appends; now >= in_flight; now = open_appends) open_appends.wait(now);
      ++open_appends;
      log->append(std::move(group), [&](const AppendResult& result) {
        if (!result.has_value()) std::fprintf(stderr, "%s\n", result.error().detail.c_str());
        --open_appends;
        open_appends.notify_one();
      });
    }
    for (int now = open_appends; now > 0; now = open_appends) open_appends.wait(now);
    report(what, records, seconds_since(begin));
  }

  std::size_t read_partition(const EmbeddedLog& log, std::uint16_t partition, std::size_t step) {
    const LogPartition from{Topic::kInteractions, partition};
    Offset at = 0;
    for (;;) {
      const auto records = log.read(from, at, step, 64u << 20);
      if (!records.has_value() || records->empty()) return static_cast<std::size_t>(at);
      at = records->back().offset + 1;
    }
  }

  void read(const char* what, std::size_t step) {
    const auto opening = std::chrono::steady_clock::now();
    const auto log = open(Durability::kOs, 0);
    std::printf("open: %.3f s\n", seconds_since(opening));
    const auto begin = std::chrono::steady_clock::now();
    std::size_t records = 0;
    for (std::uint16_t p = 0; p < kPartitions; ++p) records += read_partition(*log, p, step);
    report(what, records, seconds_since(begin));
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t records = argc > 1 ? std::stoul(argv[1]) : 2'000'000;
  const std::size_t bytes = argc > 2 ? std::stoul(argv[2]) : 300;
  const std::string directory =
      argc > 3 ? argv[3] : "/tmp/millrace-bench-log-" + std::to_string(::getpid());
  Bench bench{directory, bytes, {}, {}};
  std::printf("%zu records of %zu bytes over %d partitions in %s\n", records, bytes, kPartitions,
              directory.c_str());
  bench.append("append, fsync, one record, 1 in flight", Durability::kFsync, 500, 1, 1);
  bench.append("append, fsync, one record, 64 in flight", Durability::kFsync, 20'000, 1, 64);
  bench.append("append, fsync, groups of 1000", Durability::kFsync, records / 4, 1000, 8);
  bench.append("append, os, one record, 64 in flight", Durability::kOs, records / 10, 1, 64);
  bench.append("append, os, groups of 1000", Durability::kOs, records, 1000, 8);
  bench.read("read, 1000 at a time, 4 partitions", 1000);
  bench.read("read, 10 at a time, 4 partitions", 10);
  std::filesystem::remove_all(directory);
}
