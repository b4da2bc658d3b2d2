#include "app/open_log.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

#include "app/flags.h"
#include "ingest/embedded_log.h"
#include "ingest/kafka_log.h"
#include "schemas/partitioner.h"

namespace millrace::app {
namespace {

constexpr std::uint64_t kKafkaShare = 8;   // of --memory
constexpr std::uint64_t kSourceShare = 8;  // of that

Result<std::unique_ptr<ingest::EventLog>> open_embedded(const ServeConfig& config,
                                                        ingest::LogAccess access, Metrics& metrics,
                                                        const Clock& clock) {
  ingest::EmbeddedLogOptions options;
  options.directory = DataFolders(config.data).log;
  options.interaction_partitions = config.log.partitions;
  options.segment_bytes = config.log.segment_bytes;
  options.durability = config.log.durability == Durability::kFsync ? ingest::Durability::kFsync
                                                                   : ingest::Durability::kOs;
  options.access = access;
  options.metrics = &metrics;
  options.clock = &clock;
  return ingest::EmbeddedLog::open(std::move(options));
}

Result<std::unique_ptr<ingest::EventLog>> open_kafka(const ServeConfig& config,
                                                     ingest::LogAccess access, Metrics& metrics) {
  ingest::KafkaLogOptions options;
  options.connection = {config.kafka.bootstrap, config.kafka.properties};
  options.prefix = config.kafka.prefix;
  options.interaction_partitions = config.log.partitions;
  options.buffer_bytes = log_memory_bytes(config) - log_memory_bytes(config) / kSourceShare;
  options.access = access;
  options.metrics = &metrics;
  return ingest::KafkaLog::open(std::move(options));
}

}  // namespace

DataFolders::DataFolders(const std::string& data) {
  const std::filesystem::path root(data);
  log = root / "log";
  state = root / "state";
  checkpoints = root / "checkpoints";
  models = root / "ai-models";
  media = root / "media";
}

std::string node_id(const ServeConfig& config) {
  if (!config.kafka.node_id.empty()) return config.kafka.node_id;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::error_code error;
  const auto folder = std::filesystem::weakly_canonical(config.data, error).string();
  return std::string(host.data()) + "-" + std::to_string(murmur2(folder));
}

std::uint64_t log_memory_bytes(const ServeConfig& config) {
  return config.log.kind == LogKind::kKafka ? config.memory_bytes / kKafkaShare : 0;
}

Result<std::unique_ptr<ingest::FileLock>> lock_data(const std::string& data,
                                                    ingest::LogAccess access) {
  const auto files = ingest::posix_file_system();
  const bool write = access == ingest::LogAccess::kWrite;
  if (write) MILLRACE_CHECK(files->create_directories(data));
  auto lock =
      files->lock(data + "/lock", write ? ingest::LockMode::kExclusive : ingest::LockMode::kShared);
  if (!lock && lock.error().code == Code::kConflict) {
    return fail(Code::kConflict, data + " is in use by another process: stop it first");
  }
  return lock;
}

Result<std::unique_ptr<ingest::EventLog>> open_log(const ServeConfig& config,
                                                   ingest::LogAccess access, Metrics& metrics,
                                                   const Clock& clock) {
  return config.log.kind == LogKind::kKafka ? open_kafka(config, access, metrics)
                                            : open_embedded(config, access, metrics, clock);
}

Result<std::unique_ptr<ingest::KafkaSource>> open_source(const ServeConfig& config,
                                                         const ingest::Acceptor& acceptor,
                                                         Metrics& metrics) {
  if (config.log.kind != LogKind::kKafka) return nullptr;
  ingest::KafkaSourceOptions options;
  options.connection = {config.kafka.bootstrap, config.kafka.properties};
  options.prefix = config.kafka.prefix;
  options.node_id = node_id(config);
  options.partitions = config.log.partitions;
  options.queue_bytes = log_memory_bytes(config) / kSourceShare;
  return ingest::KafkaSource::open(std::move(options), acceptor, metrics);
}

Result<ServeConfig> stored_config(const std::string& data, const Settings& settings) {
  ServeFlags flags;
  flags.settings = settings;
  flags.settings.emplace_back("data", data);
  MILLRACE_TRY(auto resolved, load_config(flags));
  auto& config = resolved.config;
  if (config.log.kind == LogKind::kKafka) return config;
  Metrics metrics;
  const SystemClock clock;
  const auto log = open_log(config, ingest::LogAccess::kRead, metrics, clock);
  if (log) config.log.partitions = (*log)->interaction_partitions();
  return config;
}

}  // namespace millrace::app
