#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/acceptor.h"
#include "ingest/event_log.h"
#include "ingest/kafka_source.h"
#include "ingest/log_file.h"

namespace millrace::app {

// Where things lie in a data folder. With Kafka there is no log in it.
struct DataFolders {
  explicit DataFolders(const std::string& data);
  std::string log, state, checkpoints, models, media;
};

// --node-id, else one from the host's name and the data folder's, the same after every restart.
std::string node_id(const ServeConfig& config);

// Share of --memory that the log takes for what it reads ahead: 1/8 with Kafka, none embedded.
std::uint64_t log_memory_bytes(const ServeConfig& config);

// Keeps other processes away from a data folder whose log is Kafka's, while it lives; the embedded
// log has a lock of its own. kConflict: another process has it.
Result<std::unique_ptr<ingest::FileLock>> lock_data(const std::string& data,
                                                    ingest::LogAccess access);

// The log that the configuration names: the data folder's, or Kafka's.
Result<std::unique_ptr<ingest::EventLog>> open_log(const ServeConfig& config,
                                                   ingest::LogAccess access, Metrics& metrics,
                                                   const Clock& clock);

// Acceptance from Kafka's `events`; null with the embedded log.
Result<std::unique_ptr<ingest::KafkaSource>> open_source(const ServeConfig& config,
                                                         const ingest::Acceptor& acceptor,
                                                         Metrics& metrics);

// What verbs work with that open the data of a stopped server: its DATA/millrace.toml, the
// environment and these settings, with the number of partitions that the embedded log has.
Result<ServeConfig> stored_config(const std::string& data, const Settings& settings = {});

}  // namespace millrace::app
