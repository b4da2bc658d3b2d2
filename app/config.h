#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/schedule.h"
#include "schemas/address.h"

namespace millrace::app {

// What `millrace serve` can be told. The table in app/options.cc names every field, its range and
// its default's meaning; flags, environment and TOML file are read, and printed, through that
// table. Each part is given its own sub-struct. Times end in _ms, sizes in _bytes; 0 threads: one
// per core.

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;             // 0: any free one
  std::vector<std::string> surfaces;  // empty: all

  std::string text() const;  // "127.0.0.1:5001", "[::1]:5001"
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct HttpConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;          // 0: any free one
  std::vector<std::string> surfaces;  // empty: all
  std::vector<ListenAddress> listen;  // beside host:port
  std::string public_url;             // where clients see the server; empty: http://host:port
  std::uint32_t threads = 0;
  std::uint64_t max_body_bytes = 8ULL << 20;
  std::uint64_t max_header_bytes = 16ULL << 10;
  std::uint32_t max_events = 10'000;  // in one request
  std::uint32_t max_connections = 1'024;
  std::uint32_t max_in_flight = 1'024;  // requests being answered; beyond: 429
  std::int64_t header_deadline_ms = 5'000;
  std::int64_t body_deadline_ms = 10'000;
  std::int64_t write_deadline_ms = 10'000;
  std::int64_t idle_deadline_ms = 60'000;
  std::int64_t position_wait_ms = 5'000;  // longest wait for a position that a reader asks for
  std::string tls_cert;                   // PEM files; both or none
  std::string tls_key;
  std::int64_t drain_ms = 5'000;  // longest wait for open requests when stopping

  friend bool operator==(const HttpConfig&, const HttpConfig&) = default;
};

enum class Durability : std::uint8_t {
  kFsync,  // answers wait for the disk: survives a power cut
  kOs,     // answers wait for the operating system: survives the process, not the machine
};

enum class LogKind : std::uint8_t { kEmbedded, kKafka };

struct EventLogConfig {
  LogKind kind = LogKind::kEmbedded;
  Durability durability = Durability::kFsync;
  std::uint16_t partitions = 4;  // fixed for the life of a log; 16 on Kafka unless set
  std::uint64_t segment_bytes = 64ULL << 20;
  std::int64_t retention_ms = 0;      // 0: no limit of age
  std::uint64_t retention_bytes = 0;  // 0: no limit of size

  friend bool operator==(const EventLogConfig&, const EventLogConfig&) = default;
};

struct KafkaConfig {
  std::string bootstrap;  // HOST:PORT[,…]
  std::string prefix;     // of topics
  std::string node_id;    // of this node; empty: from the host's name and the data folder's
  std::vector<std::pair<std::string, std::string>> properties;  // of librdkafka, by name

  friend bool operator==(const KafkaConfig&, const KafkaConfig&) = default;
};

struct ClusterConfig {
  std::string advertise;  // URL by which other nodes reach this one; empty: http://HOST:PORT
  bool restore_from_peers = true;  // a node without state starts from another's checkpoint
  std::int64_t stale_after_ms = 1'000;
  std::int64_t leave_grace_ms = 0;  // answering goes on so long after SIGTERM, as not ready

  friend bool operator==(const ClusterConfig&, const ClusterConfig&) = default;
};

struct ApplyConfig {
  std::uint32_t threads = 0;
  std::int64_t commit_interval_ms = 100;
  std::uint32_t commit_events = 50'000;
  std::uint64_t commit_dirty_bytes = 16ULL << 20;

  friend bool operator==(const ApplyConfig&, const ApplyConfig&) = default;
};

// What the configuration proposes for the ruleset; a control record puts it in force.
struct RulesConfig {
  std::int64_t history_retention_ms = 0;  // 0: kept for ever
  std::uint64_t dedupe_ids = 0;           // per partition; 0: from the memory budget
  std::int64_t dedupe_window_ms = 24LL * 3'600'000;
  std::int64_t short_half_life_ms = 6LL * 3'600'000;
  std::int64_t long_half_life_ms = 7LL * 24 * 3'600'000;
  std::vector<std::pair<std::string, std::int32_t>> interactions;  // (type, weight), by name
  std::vector<std::pair<std::string, std::int32_t>> retention;     // (type, days), by name

  friend bool operator==(const RulesConfig&, const RulesConfig&) = default;
};

struct AccountsConfig {
  std::int64_t token_lifetime_ms = 30LL * 24 * 3'600'000;
  std::uint32_t logins_per_account = 10;  // tries a minute; 0: no limit
  std::uint32_t logins_per_address = 60;
  std::uint64_t merge_events = 100'000;  // of a person who is merged into another

  friend bool operator==(const AccountsConfig&, const AccountsConfig&) = default;
};

// What clients may do, and what is done with those who do more.
struct AccessConfig {
  std::uint32_t per_address = 6'000;  // requests a minute; 0: no limit
  std::uint32_t per_caller = 6'000;   // of an account or key
  std::uint32_t sign_ups = 600;       // of everybody together
  std::uint32_t addresses = 100'000;  // remembered
  std::uint32_t block_failures = 100;
  std::int64_t block_window_ms = 300'000;
  std::int64_t block_ms = 3'600'000;
  std::vector<AddressRange> trusted_proxies;
  std::vector<std::string> cors_origins;
  std::int64_t audit_interval_ms = 24LL * 3'600'000;  // 0: never

  friend bool operator==(const AccessConfig&, const AccessConfig&) = default;
};

// Of the recommendation engine's own routes, of a credential, else of an address; 0: no limit.
struct EngineConfig {
  std::uint32_t api_per_minute = 100;
  std::uint32_t trainings_per_hour = 10;
  std::uint32_t bulk_per_hour = 5;
  std::uint64_t max_dataset_bytes = 1ULL << 30;
  std::uint32_t max_uploads = 4;  // at once

  friend bool operator==(const EngineConfig&, const EngineConfig&) = default;
};

// Listeners of GET /v1/live.
struct LiveConfig {
  std::uint32_t listeners = 1'000;
  std::uint32_t listeners_per_account = 20;
  std::uint32_t queue_messages = 1'024;  // of one listener
  std::uint64_t queue_bytes = 256ULL << 10;
  std::uint64_t backlog_bytes = 16ULL << 20;  // of events not yet compared with the filters
  std::uint64_t message_bytes = 4ULL << 10;   // of a listener's own
  std::int64_t heartbeat_ms = 15'000;
  std::int64_t slow_ms = 5'000;
  std::int64_t ticket_lifetime_ms = 30'000;
  std::uint32_t tickets = 10'000;

  friend bool operator==(const LiveConfig&, const LiveConfig&) = default;
};

struct FeedConfig {
  double category = 2.0;
  double tag = 1.5;
  double view = 0.01;
  double like = 1.0;
  double share = 1.2;
  double trend = 4.0;
  double jitter = 0.5;
  double trend_half = 10.0;        // s0: the trend score at which s/(s + s0) is a half
  std::uint32_t in_a_row = 2;      // most items of one parent next to each other; 0: any number
  std::int64_t rest_ms = 600'000;  // what was watched so recently is left out; 0: nothing
  std::uint32_t impressions_per_second = 1'000;  // answers logged; 0: none
  std::uint32_t rotate_after = 5;
  double rotate_factor = 0.8;
  std::int64_t rotate_recover_ms = 24LL * 3'600'000;

  friend bool operator==(const FeedConfig&, const FeedConfig&) = default;
};

struct ModelsConfig {
  std::uint32_t clusters = 5;
  Schedule train_every = Schedule::every(3'600'000);
  Schedule linear_every = Schedule::every(300'000);
  double train_change = 0.1;  // share of the products; 0: not by change
  std::uint32_t neighbour_cells = 125'000;
  std::uint32_t linear_items = 10'000;
  std::uint64_t linear_bytes = 0;  // 0: a share of memory_bytes
  std::string train_program;       // empty: millrace-train beside this program
  bool learn_blend = true;         // else as chosen
  std::int64_t blend_every_ms = 600'000;
  std::uint32_t predictions_per_second = 20;  // 0: none
  double predicted_share = 1;                 // of people

  friend bool operator==(const ModelsConfig&, const ModelsConfig&) = default;
};

// Files of uploaded videos.
struct MediaConfig {
  std::uint64_t max_file_bytes = 52'428'800;
  std::uint64_t max_bytes = 10ULL << 30;  // of all together
  std::uint32_t max_uploads = 64;         // at once
  std::string ffmpeg = "ffmpeg";          // empty: no posters

  friend bool operator==(const MediaConfig&, const MediaConfig&) = default;
};

enum class LogFormat : std::uint8_t { kHuman, kJson };

struct LoggingConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kHuman;

  friend bool operator==(const LoggingConfig&, const LoggingConfig&) = default;
};

struct ServeConfig {
  std::string data = "millrace-data";
  std::uint64_t memory_bytes = 512ULL << 20;
  std::string
      admin_token;  // secret; empty: none. Before any account everything is open on loopback
  std::string client_secret;  // CLIENT_HEADER_SECRET of the recommender's routes; empty: none
  HttpConfig http;
  EventLogConfig log;
  KafkaConfig kafka;
  ClusterConfig cluster;
  ApplyConfig apply;
  RulesConfig rules;
  AccountsConfig accounts;
  AccessConfig access;
  EngineConfig engine;
  LiveConfig live;
  FeedConfig feed;
  std::map<std::string, std::string> currencies;  // code -> rate; set at every start
  ModelsConfig models;
  MediaConfig media;
  LoggingConfig logging;

  friend bool operator==(const ServeConfig&, const ServeConfig&) = default;
};

using Settings =
    std::vector<std::pair<std::string, std::string>>;  // (name, value as text), in order

// Where settings come from, the strongest first.
struct Sources {
  Settings flags;        // by option key, e.g. ("http.threads", "4")
  Settings environment;  // by variable, e.g. ("MILLRACE_HTTP_THREADS", "4"); others are ignored
  std::string file;      // TOML text, empty: none
  std::string file_name = "millrace.toml";  // for messages
};

struct Resolved {
  ServeConfig config;
  std::vector<std::string> warnings;  // one for each MILLRACE_ variable that nothing reads
};

// The settings that hold. kInvalid with `field` the option's key and a detail that names the flag,
// variable or file key at fault: a value out of range, an unknown key of the file, bad TOML.
Result<Resolved> resolve(const Sources& sources);

// The configuration as a TOML file that resolves to it again, except for secrets, which are masked.
std::string print_config(const ServeConfig& config);

}  // namespace millrace::app
