#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "ingest/embedded_log.h"
#include "tests/support/faulty_files.h"

namespace millrace {

inline constexpr LogPartition kInteractions0{Topic::kInteractions, 0};
inline constexpr LogPartition kInteractions1{Topic::kInteractions, 1};

// What an embedded log stands on in a test, outliving each time it is opened.
struct LogGround {
  FaultyFiles files;
  Metrics metrics;
  ManualClock clock{1'000'000};

  // Small segments, no memory tail: everything is read back from the files.
  ingest::EmbeddedLogOptions options() {
    return {.directory = "/log",
            .interaction_partitions = 2,
            .segment_bytes = 8u << 10,
            .max_record_bytes = 2048,
            .max_group_bytes = 16u << 10,
            .tail_bytes = 0,
            .probe_ms = 5,
            .files = &files,
            .metrics = &metrics,
            .clock = &clock};
  }
  Result<std::unique_ptr<ingest::EmbeddedLog>> try_open() {
    return ingest::EmbeddedLog::open(options());
  }
  std::unique_ptr<ingest::EmbeddedLog> open() { return std::move(try_open()).value(); }

  // The log's segment files, oldest first.
  std::vector<std::string> segments() const {
    std::vector<std::string> out;
    for (const auto& name : files.names()) {
      if (name.ends_with(".log")) out.push_back(name);
    }
    return out;
  }
  void flip_byte(const std::string& path, std::size_t at) {
    std::string bytes = files.bytes(path);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x40);
    files.put(path, std::move(bytes));
  }
  void cut_off(const std::string& path, std::size_t bytes) {
    std::string all = files.bytes(path);
    all.resize(all.size() - bytes);
    files.put(path, std::move(all));
  }
};

// All records of a partition as text, from `from` on; stops at the first failure.
inline std::vector<std::string> texts(const ingest::EventLog& log, LogPartition partition,
                                      Offset from = 0) {
  std::vector<std::string> out;
  for (;;) {
    const auto records = log.read(partition, from, 100, 1u << 20);
    if (!records.has_value() || records->empty()) return out;
    for (const auto& record : *records) out.push_back(record.bytes);
    from = records->back().offset + 1;
  }
}

inline std::string filler(int i) { return std::to_string(i) + std::string(400, '.'); }

// One append each, so that each is a group of its own. False when one was refused.
inline bool append_each(ingest::EventLog& log, int from, int to) {
  for (int i = from; i < to; ++i) {
    if (!log.append_and_wait({{kInteractions0, "u", filler(i)}})) return false;
  }
  return true;
}

}  // namespace millrace
