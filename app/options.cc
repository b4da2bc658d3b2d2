#include "app/options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "app/option_kinds.h"
#include "app/table_options.h"
#include "serving/surfaces/list.h"

namespace millrace::app {
namespace {

// As browsers send it: a scheme, a host in lower case, perhaps a port.
Result<std::string> read_origin(std::string_view text) {
  const auto host = text.find("://");
  const bool web = text.starts_with("http://") || text.starts_with("https://");
  const auto rest = web ? text.substr(host + 3) : std::string_view();
  constexpr std::string_view kHost = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
  if (rest.empty() || rest.find_first_not_of(kHost) != std::string_view::npos) {
    return fail(Code::kInvalid, "must be origins as https://shop.example, without a path");
  }
  return std::string(text);
}

// Defines `at`: how to reach one field of a ServeConfig, const or not.
#define MILLRACE_AT(field) [](auto& config) -> auto& { return config.field; }

std::vector<Option> plain_options() {
  return {
      text("data", "folder that holds log and state", MILLRACE_AT(data)),
      bytes("memory", "budget for caches, buffers and tables", MILLRACE_AT(memory_bytes),
            64ULL << 20),
      text("host", "address to listen on: the first, and the one of the ready line",
           MILLRACE_AT(http.host)),
      integer("port", "port to listen on; 0: any", MILLRACE_AT(http.port), 0, 65'535),
      text("public_url", "where clients see the server; empty: http://HOST:PORT",
           MILLRACE_AT(http.public_url)),
      choice("durability", "what an answer waits for: fsync (disk) or os",
             MILLRACE_AT(log.durability), {{"fsync", Durability::kFsync}, {"os", Durability::kOs}}),
      integer("partitions", "partitions of a new log, fixed for its life; on Kafka 16 unless set",
              MILLRACE_AT(log.partitions), 1, 256),
      choice("log_level", "the least that is logged: debug, info, warn or error",
             MILLRACE_AT(logging.level),
             {{"debug", LogLevel::kDebug},
              {"info", LogLevel::kInfo},
              {"warn", LogLevel::kWarn},
              {"error", LogLevel::kError}}),
      choice("log_format", "human or json", MILLRACE_AT(logging.format),
             {{"human", LogFormat::kHuman}, {"json", LogFormat::kJson}}),
  };
}

// By the name that its clients send it under, in the environment.
Option client_secret() {
  auto option = text("client_secret", "CLIENT_HEADER_SECRET of the recommender; empty: keys alone",
                     MILLRACE_AT(client_secret));
  option.secret = true;
  option.variable = "CLIENT_HEADER_SECRET";
  return option;
}

Option admin_token() {
  auto option =
      text("admin_token", "token of the administrator; empty: none", MILLRACE_AT(admin_token));
  option.secret = true;
  return option;
}

std::vector<Option> http_options() {
  auto cert = text("http.tls_cert", "TLS: PEM file of the certificate and those behind it",
                   MILLRACE_AT(http.tls_cert));
  cert.flag = "tls-cert";
  auto key = text("http.tls_key", "TLS: PEM file of the key; SIGHUP reads both again",
                  MILLRACE_AT(http.tls_key));
  key.flag = "tls-key";
  return {
      several(
          "http.surfaces", "surfaces at HOST:PORT, of " + serving::surface_names() + "; empty: all",
          MILLRACE_AT(http.surfaces), read_surface, [](const std::string& name) { return name; }),
      std::move(cert),
      std::move(key),
      integer("http.threads", "threads that answer; 0: one per core", MILLRACE_AT(http.threads), 0,
              256),
      bytes("http.max_body", "largest request body", MILLRACE_AT(http.max_body_bytes), 1'024),
      bytes("http.max_header", "largest request header", MILLRACE_AT(http.max_header_bytes), 1'024),
      integer("http.max_events", "most events in one request", MILLRACE_AT(http.max_events), 1),
      integer("http.max_connections", "most open connections", MILLRACE_AT(http.max_connections),
              1),
      integer("http.max_in_flight", "most requests being answered; beyond: 429",
              MILLRACE_AT(http.max_in_flight), 1),
      duration("http.header_deadline", "longest time for a request's header",
               MILLRACE_AT(http.header_deadline_ms), 1),
      duration("http.body_deadline", "longest time for a request's body",
               MILLRACE_AT(http.body_deadline_ms), 1),
      duration("http.write_deadline", "longest time for a client to take an answer",
               MILLRACE_AT(http.write_deadline_ms), 1),
      duration("http.idle_deadline", "longest silence of a kept connection",
               MILLRACE_AT(http.idle_deadline_ms), 1),
      duration("http.position_wait", "longest wait for a position that a reader asks for",
               MILLRACE_AT(http.position_wait_ms), 0),
      duration("http.drain", "longest wait for open requests when stopping",
               MILLRACE_AT(http.drain_ms), 0),
  };
}

std::vector<Option> log_options() {
  auto kind =
      choice("log.kind", "where events are kept: embedded (the data folder) or kafka",
             MILLRACE_AT(log.kind), {{"embedded", LogKind::kEmbedded}, {"kafka", LogKind::kKafka}});
  kind.flag = "log";
  return {
      std::move(kind),
      bytes("log.segment", "size of one file of the embedded log", MILLRACE_AT(log.segment_bytes),
            1ULL << 20),
      duration("log.retention", "age at which applied records may go; 0: never",
               MILLRACE_AT(log.retention_ms), 0),
      bytes("log.retention_bytes", "size at which applied records may go; 0: never",
            MILLRACE_AT(log.retention_bytes), 0),
  };
}

std::vector<Option> kafka_options() {
  auto node_id = text("kafka.node_id", "this node's name, kept over restarts, no other's",
                      MILLRACE_AT(kafka.node_id));
  node_id.flag = "node-id";
  return {
      text("kafka.bootstrap", "brokers to ask first: HOST:PORT[,HOST:PORT...]",
           MILLRACE_AT(kafka.bootstrap)),
      text("kafka.prefix", "what the names of our topics begin with", MILLRACE_AT(kafka.prefix)),
      std::move(node_id),
  };
}

std::vector<Option> cluster_options() {
  auto advertise =
      text("cluster.advertise", "URL by which other nodes reach this one; empty: http://HOST:PORT",
           MILLRACE_AT(cluster.advertise));
  advertise.flag = "advertise";
  auto restore =
      choice("cluster.restore_from_peers",
             "whether a node without state starts from another's: auto or never",
             MILLRACE_AT(cluster.restore_from_peers), {{"auto", true}, {"never", false}});
  restore.flag = "restore-from-peers";
  return {
      std::move(advertise),
      std::move(restore),
      duration("cluster.stale_after", "time without the log's end after which answers say stale",
               MILLRACE_AT(cluster.stale_after_ms), 100),
      duration("cluster.leave_grace", "how long a stopping node still answers, as not ready",
               MILLRACE_AT(cluster.leave_grace_ms), 0),
  };
}

std::vector<Option> apply_options() {
  return {
      integer("apply.threads", "threads that apply events; 0: one per core",
              MILLRACE_AT(apply.threads), 0, 256),
      duration("apply.commit_interval", "time between commits; up to a second where they take long",
               MILLRACE_AT(apply.commit_interval_ms), 1),
      integer("apply.commit_events", "most events in one commit", MILLRACE_AT(apply.commit_events),
              1),
      bytes("apply.commit_dirty", "most changed bytes in one commit",
            MILLRACE_AT(apply.commit_dirty_bytes), 1ULL << 16),
  };
}

std::vector<Option> rules_options() {
  return {
      duration("rules.history_retention", "age at which a person's history goes; 0: never",
               MILLRACE_AT(rules.history_retention_ms), 0),
      integer("rules.dedupe_ids", "ids remembered per partition; 0: what the memory allows",
              MILLRACE_AT(rules.dedupe_ids), 0, std::int64_t{1} << 40),
      duration("rules.dedupe_window", "longest time that an id is remembered",
               MILLRACE_AT(rules.dedupe_window_ms), 0),
      duration("rules.short_half_life", "half-life of `trending`",
               MILLRACE_AT(rules.short_half_life_ms), 60'000),
      duration("rules.long_half_life", "half-life that `rising` compares with",
               MILLRACE_AT(rules.long_half_life_ms), 60'000),
  };
}

std::vector<Option> accounts_options() {
  return {
      duration("accounts.token_lifetime", "time after which a login ends",
               MILLRACE_AT(accounts.token_lifetime_ms), 1'000),
      integer("accounts.logins_per_account",
              "tries of a password a minute and account; 0: no limit",
              MILLRACE_AT(accounts.logins_per_account), 0, 1'000'000),
      integer("accounts.logins_per_address",
              "tries of a password a minute and address; 0: no limit",
              MILLRACE_AT(accounts.logins_per_address), 0, 1'000'000),
      integer("accounts.merge_events", "most events of a person who is merged into another",
              MILLRACE_AT(accounts.merge_events), 1, 100'000'000),
  };
}

std::vector<Option> access_options() {
  auto proxies = several("access.trusted_proxies",
                         "addresses of proxies whose X-Forwarded-For is believed: 10.0.0.0/8,::1",
                         MILLRACE_AT(access.trusted_proxies), AddressRange::parse,
                         [](const AddressRange& range) { return range.text(); });
  proxies.flag = "trusted-proxy";
  auto origins =
      several("access.cors_origins", "web pages that may read answers: https://a.example",
              MILLRACE_AT(access.cors_origins), read_origin,
              [](const std::string& origin) { return origin; });
  origins.flag = "cors-origin";
  auto audit = duration("access.audit_interval", "time between security audits; 0: none",
                        MILLRACE_AT(access.audit_interval_ms), 0);
  audit.flag = "audit-interval";
  return {
      integer("access.per_address", "requests a minute of an address (IPv6: /64); 0: no limit",
              MILLRACE_AT(access.per_address), 0, 100'000'000),
      integer("access.per_caller", "requests a minute of an account or key; 0: no limit",
              MILLRACE_AT(access.per_caller), 0, 100'000'000),
      integer("access.sign_ups", "sign-ups a minute of everybody together; 0: no limit",
              MILLRACE_AT(access.sign_ups), 0, 100'000'000),
      integer("access.addresses", "addresses whose doings are remembered",
              MILLRACE_AT(access.addresses), 1'000, 10'000'000),
      integer("access.block_failures",
              "failed log-ins, bad tokens and unknown paths that block an address; 0: none do",
              MILLRACE_AT(access.block_failures), 0, 1'000'000),
      duration("access.block_window", "time within which they count",
               MILLRACE_AT(access.block_window_ms), 1'000),
      duration("access.block_time", "how long such an address is blocked",
               MILLRACE_AT(access.block_ms), 1'000),
      std::move(proxies),
      std::move(origins),
      std::move(audit),
  };
}

std::vector<Option> engine_options() {
  return {
      integer("engine.api_per_minute",
              "requests a minute to the recommendation engine's API, of a key, else of an address; "
              "0: no limit",
              MILLRACE_AT(engine.api_per_minute), 0, 100'000'000),
      integer("engine.trainings_per_hour", "its trainings an hour; 0: no limit",
              MILLRACE_AT(engine.trainings_per_hour), 0, 100'000'000),
      integer("engine.bulk_per_hour", "its uploads an hour; 0: no limit",
              MILLRACE_AT(engine.bulk_per_hour), 0, 100'000'000),
      bytes("engine.max_dataset", "largest CSV file that is uploaded",
            MILLRACE_AT(engine.max_dataset_bytes), 1'024),
      integer("engine.max_uploads", "most uploads at once; beyond: 429",
              MILLRACE_AT(engine.max_uploads), 1, 1'000),
  };
}

std::vector<Option> live_options() {
  return {
      integer("live.listeners", "most listeners of /v1/live", MILLRACE_AT(live.listeners), 0,
              1'000'000),
      integer("live.listeners_per_account", "most of one account or key",
              MILLRACE_AT(live.listeners_per_account), 1, 1'000'000),
      integer("live.queue_messages", "messages that wait for a slow listener; more are dropped",
              MILLRACE_AT(live.queue_messages), 1, 1'000'000),
      bytes("live.queue_bytes", "bytes of them", MILLRACE_AT(live.queue_bytes), 16ULL << 10),
      bytes("live.backlog", "bytes of events that wait to be compared with the filters",
            MILLRACE_AT(live.backlog_bytes), 64ULL << 10),
      bytes("live.message", "largest message of a listener's", MILLRACE_AT(live.message_bytes),
            128),
      duration("live.heartbeat", "silence after which a listener is sent a sign of life",
               MILLRACE_AT(live.heartbeat_ms), 100),
      duration("live.slow_deadline", "time in which a listener must take something that waits",
               MILLRACE_AT(live.slow_ms), 100),
      duration("live.ticket_lifetime", "how long a ticket opens /v1/live",
               MILLRACE_AT(live.ticket_lifetime_ms), 1'000),
      integer("live.tickets", "tickets used within that time", MILLRACE_AT(live.tickets), 1,
              10'000'000),
  };
}

std::vector<Option> feed_options() {
  return {
      real("feed.category", "feed: weight of a liked category", MILLRACE_AT(feed.category)),
      real("feed.tag", "feed: weight of each liked tag", MILLRACE_AT(feed.tag)),
      real("feed.view", "feed: weight of a view", MILLRACE_AT(feed.view)),
      real("feed.like", "feed: weight of a like", MILLRACE_AT(feed.like)),
      real("feed.share", "feed: weight of a share", MILLRACE_AT(feed.share)),
      real("feed.trend", "feed: weight of the trend, scaled to 0-1", MILLRACE_AT(feed.trend)),
      real("feed.jitter", "feed: largest random part", MILLRACE_AT(feed.jitter)),
      real("feed.trend_half", "feed: trend score that scales to one half",
           MILLRACE_AT(feed.trend_half)),
      integer("feed.in_a_row", "/v1/feed: most items of one parent in a row; 0: any number",
              MILLRACE_AT(feed.in_a_row), 0, 100),
      duration("feed.rest", "/v1/feed: how long what was watched stays out; 0: not at all",
               MILLRACE_AT(feed.rest_ms), 0),
      integer("feed.rotate_after",
              "hybrid_ensemble: times that an item is shown and not acted on until it goes down; "
              "0: never",
              MILLRACE_AT(feed.rotate_after), 0, 1'000),
      real("feed.rotate_factor", "factor on its score, with that time and each further one",
           MILLRACE_AT(feed.rotate_factor)),
      duration("feed.rotate_recover", "not shown for so long it is as new",
               MILLRACE_AT(feed.rotate_recover_ms), 1'000),
      integer("feed.impressions_per_second", "answers logged for attribution a second; 0: none",
              MILLRACE_AT(feed.impressions_per_second), 0, 100'000),
  };
}

std::vector<Option> models_options() {
  auto clusters = integer("models.clusters", "clusters of the products' categories",
                          MILLRACE_AT(models.clusters), 1, 1'000);
  clusters.flag = "num-clusters";
  auto every =
      schedule("models.train_every",
               "time between trainings of the models, or five fields of cron, in UTC; 0: none",
               MILLRACE_AT(models.train_every));
  every.flag = "train-every";
  auto change = real("models.train_change",
                     "share of products that must have changed for a training; 0: none",
                     MILLRACE_AT(models.train_change));
  change.flag = "train-change";
  auto program = text("models.train_program",
                      "what trains deep_learning; empty: millrace-train beside this program",
                      MILLRACE_AT(models.train_program));
  program.flag = "train-program";
  return {
      std::move(clusters),
      std::move(every),
      std::move(change),
      std::move(program),
      integer("models.neighbour_cells",
              "interactions looked at for a product's neighbours; beyond: the newest people's",
              MILLRACE_AT(models.neighbour_cells), 1'000, 100'000'000),
      schedule("models.linear_every", "the same of the linear model",
               MILLRACE_AT(models.linear_every)),
      integer("models.linear_items", "items of the linear model: those that most people took to",
              MILLRACE_AT(models.linear_items), 1, 100'000),
      bytes("models.linear_bytes", "memory of a training of the linear model; 0: 1/8 of --memory",
            MILLRACE_AT(models.linear_bytes), 0),
      choice("models.blend", "weights of hybrid_ensemble's parts: learned, or fixed as chosen",
             MILLRACE_AT(models.learn_blend), {{"learned", true}, {"fixed", false}}),
      duration("models.blend_every", "least time between two changes of learned weights",
               MILLRACE_AT(models.blend_every_ms), 1'000),
      integer("models.predictions_per_second",
              "people whose next event is predicted a second, to measure rankers; 0: none",
              MILLRACE_AT(models.predictions_per_second), 0, 10'000),
      real("models.predicted_share", "share of people of whom it may be predicted, 0 to 1",
           MILLRACE_AT(models.predicted_share)),
  };
}

std::vector<Option> media_options() {
  return {
      bytes("media.bytes", "most that all videos together take on disk",
            MILLRACE_AT(media.max_bytes), 0),
      bytes("media.max_file", "largest video", MILLRACE_AT(media.max_file_bytes), 1'024),
      integer("media.max_uploads", "most uploads at once; beyond: 429",
              MILLRACE_AT(media.max_uploads), 1, 100'000),
      text("media.ffmpeg", "program that makes posters; empty: none", MILLRACE_AT(media.ffmpeg)),
  };
}

#undef MILLRACE_AT

std::string replaced(std::string text, std::string_view from, char to) {
  for (char& c : text) {
    if (from.find(c) != std::string_view::npos) c = to;
  }
  return text;
}

}  // namespace

std::vector<Option> serve_options() {
  std::vector<Option> all = plain_options();
  all.push_back(admin_token());
  all.push_back(client_secret());
  for (auto&& group :
       {http_options(), log_options(), kafka_options(), cluster_options(), apply_options(),
        rules_options(), accounts_options(), access_options(), engine_options(), live_options(),
        feed_options(), models_options(), media_options()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  for (auto& table : table_options()) all.push_back(std::move(table));
  return all;
}

std::string flag_of(const Option& option) {
  return "--" + (option.flag.empty() ? replaced(option.key, "._", '-') : option.flag);
}

std::string variable_of(const Option& option) {
  if (!option.variable.empty()) return option.variable;
  const bool by_flag = !option.table && !option.flag.empty();
  std::string name = "MILLRACE_" + replaced(by_flag ? option.flag : option.key, ".-", '_');
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

std::string table_of(const Option& option) {
  if (option.table) return option.key;
  const auto dot = option.key.find('.');
  return dot == std::string::npos ? "" : option.key.substr(0, dot);
}

}  // namespace millrace::app
