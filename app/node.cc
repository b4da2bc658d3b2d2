#include "app/node.h"

#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "app/admin_token.h"
#include "app/build_info.h"
#include "app/engine_options.h"
#include "app/media_copy.h"
#include "app/peer_restore.h"
#include "base/log.h"
#include "schemas/catalog_record.h"
#include "schemas/partitioner.h"
#include "serving/http/problem.h"
#include "serving/surfaces/audit.h"
#include "serving/surfaces/authorize.h"
#include "serving/surfaces/guard.h"
#include "serving/surfaces/list.h"

namespace millrace::app {
namespace {

constexpr int kRatesWaitMs = 60'000;

serving::LiveOptions live_options(const LiveConfig& live) {
  return {.listeners = live.listeners,
          .listeners_per_account = live.listeners_per_account,
          .queue = {live.queue_messages, static_cast<std::size_t>(live.queue_bytes)},
          .backlog_bytes = static_cast<std::size_t>(live.backlog_bytes),
          .message_bytes = static_cast<std::size_t>(live.message_bytes),
          .heartbeat_ms = live.heartbeat_ms,
          .slow_ms = live.slow_ms,
          .ticket_lifetime_ms = live.ticket_lifetime_ms,
          .tickets = live.tickets};
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

serving::GateOptions gate_options(const AccessConfig& access, const EngineConfig& engine) {
  serving::GateOptions options;
  options.addresses = {access.per_address, access.block_failures, access.block_window_ms,
                       access.addresses};
  options.per_caller = access.per_caller;
  options.trusted_proxies = access.trusted_proxies;
  options.cors_origins = access.cors_origins;
  options.allowances = {engine.api_per_minute, engine.trainings_per_hour, engine.bulk_per_hour};
  return options;
}

serving::ServerOptions server_options(const ServeConfig& config, const serving::Deps& deps) {
  using std::chrono::milliseconds;
  const auto& http = config.http;
  serving::ServerOptions options;
  options.address = http.host;
  options.port = http.port;
  options.threads = or_all_cores(http.threads);
  options.authorize = serving::authorize_with(deps);
  options.catch_up = serving::catch_up_with(deps);
  options.parse.body_bytes = http.max_body_bytes;
  options.parse.head_bytes = http.max_header_bytes;
  options.max_connections = http.max_connections;
  options.max_in_flight = http.max_in_flight;
  options.idle_deadline = milliseconds(http.idle_deadline_ms);
  options.head_deadline = milliseconds(http.header_deadline_ms);
  options.body_deadline = milliseconds(http.body_deadline_ms);
  options.write_deadline = milliseconds(http.write_deadline_ms);
  options.later_deadline = milliseconds(http.position_wait_ms + 10'000);
  options.tls = {http.tls_cert, http.tls_key};
  options.stop_deadline = milliseconds(http.drain_ms);
  return options;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::start(const ServeConfig& config, Http http) {
  std::unique_ptr<Node> node(new Node(config));
  MILLRACE_CHECK(node->build(http));
  return node;
}

// The log goes before the engine, which whoever still waits for the log will ask.
Node::~Node() {
  stop();
  freshness_.reset();
  log_.reset();
}

Status Node::build(Http http) {
  if (config_.log.kind == LogKind::kKafka) {
    MILLRACE_TRY(lock_, lock_data(config_.data, ingest::LogAccess::kWrite));
  }
  MILLRACE_TRY(cluster_, Cluster::open(config_, metrics_, clock_));
  MILLRACE_TRY(log_, open_log(config_, ingest::LogAccess::kWrite, metrics_, clock_));
  MILLRACE_CHECK(open_engine());
  freshness_ = std::make_unique<processors::Freshness>(
      processors::Freshness::Options{.stale_after_ms =
                                         static_cast<int>(config_.cluster.stale_after_ms)},
      *log_, engine_->publisher());
  cluster_->watch(*engine_, *freshness_);
  cluster_->set_state(NodeState::kCatchingUp);
  MILLRACE_CHECK(engine_->start([](std::uint64_t done, std::uint64_t total) {
    log_info("catching up: " + std::to_string(done) + " of " + std::to_string(total) + " records");
  }));
  impressions_ = std::make_unique<ingest::Impressions>(
      *log_, clock_, metrics_, ingest::Impressions::Options{config_.feed.impressions_per_second});
  acceptor_ = std::make_unique<ingest::Acceptor>(
      *log_, engine_->table(),
      [this](std::uint16_t partition, const state::Identity& identity) {
        return engine_->store(partition).first_seen(identity);
      },
      clock_, metrics_,
      ingest::Acceptor::Options{
          .highest_user = [this] { return engine_->catalog().highest_user(); },
          .before_attributed = [this] { impressions_->flush(); }});
  jobs_ = std::make_unique<processors::Jobs>(clock_, metrics_);
  trainer_ = std::make_unique<processors::Trainer>(trainer_options(config_, folders_), *engine_,
                                                   *jobs_, clock_, metrics_);
  if (http == Http::kListen) MILLRACE_CHECK(open_media());
  auto deps = parts();
  gate_ = serving::make_gate(deps, gate_options(config_.access, config_.engine),
                             config_.access.block_ms);
  deps.gate = gate_.get();
  live_ =
      std::make_unique<serving::LiveHub>(*engine_, clock_, metrics_, live_options(config_.live));
  deps.live = live_.get();
  maintenance_ = std::make_unique<Maintenance>(maintenance_options(deps, http), *engine_, *log_,
                                               clock_, metrics_);
  router_ = std::make_unique<serving::Router>(serving::all_routes(deps));
  if (http == Http::kNone) return {};
  return listen(deps);
}

// A node that has no state, or one that the log has been trimmed past, starts from a peer's.
Status Node::open_engine() {
  std::error_code error;
  const bool empty = !std::filesystem::exists(folders_.state, error);
  if (empty) {
    Offset records = 0;
    for (std::uint16_t p = 0; p < log_->interaction_partitions(); ++p) {
      records += log_->end({Topic::kInteractions, p});
    }
    if (records > 0) MILLRACE_CHECK(restore("there is no state here").map([](bool) {}));
  }
  auto opened =
      processors::Engine::open(engine_options(config_, folders_), *log_, clock_, metrics_);
  if (!opened && opened.error().code == Code::kNotFound && !empty) {
    MILLRACE_TRY(const bool restored, restore(opened.error().detail));
    if (restored) {
      opened = processors::Engine::open(engine_options(config_, folders_), *log_, clock_, metrics_);
    }
  }
  if (!opened) return tl::unexpected<Error>(opened.error());
  engine_ = *std::move(opened);
  return {};
}

// False: there is no peer to start from, so that the log must do.
Result<bool> Node::restore(const std::string& why) {
  if (config_.log.kind != LogKind::kKafka || !config_.cluster.restore_from_peers) return false;
  const auto peers = cluster_->peers();
  if (peers.empty()) return false;
  log_info("starting from another node's checkpoint: " + why);
  cluster_->set_state(NodeState::kRestoring);
  Starts starts = {{kCatalogPartition, log_->start(kCatalogPartition)}};
  for (std::uint16_t p = 0; p < log_->interaction_partitions(); ++p) {
    starts[{Topic::kInteractions, p}] = log_->start({Topic::kInteractions, p});
  }
  const auto restored = restore_from_peers(
      peers, config_.admin_token, starts, folders_.state,
      [this](std::uint64_t bytes, std::uint64_t of) { cluster_->set_restored(bytes, of); });
  if (!restored) {
    log_warn("replaying the log instead: " + restored.error().detail);
    return false;
  }
  const auto megabytes = static_cast<double>(restored->bytes) / 1e6;
  metrics_.gauge("restore_seconds", "Time that copying a peer's checkpoint took.")
      .set(restored->seconds);
  log_info("restored " + std::to_string(megabytes) + " MB from node " + restored->peer + " in " +
           std::to_string(restored->seconds) + " s, " +
           std::to_string(megabytes / restored->seconds) + " MB/s");
  // What this log has heard of may end before the peer's checkpoint does.
  log_.reset();
  MILLRACE_TRY(log_, open_log(config_, ingest::LogAccess::kWrite, metrics_, clock_));
  return true;
}

Status Node::open_media() {
  const auto& media = config_.media;
  serving::MediaLinks links;
  links.catalog = [this] { return engine_->catalog().view(); };
  if (config_.log.kind == LogKind::kKafka) {
    links.fetch = [this](std::uint64_t number, const serving::MediaRef& ref, const auto& take) {
      return copy_media(cluster_->nodes(), number, ref, take);
    };
  }
  MILLRACE_TRY(media_, serving::Media::open({folders_.media, media.max_file_bytes, media.max_bytes,
                                             media.max_uploads, media.ffmpeg},
                                            std::move(links), metrics_));
  return {};
}

serving::Deps Node::parts() {
  serving::Deps deps;
  deps.engine = engine_.get();
  deps.log = log_.get();
  deps.acceptor = acceptor_.get();
  deps.impressions = impressions_.get();
  deps.jobs = jobs_.get();
  deps.trainer = trainer_.get();
  deps.clock = &clock_;
  deps.ids = &ids_;
  deps.metrics = &metrics_;
  deps.options = {static_cast<int>(config_.http.position_wait_ms),
                  config_.http.max_events,
                  config_.http.public_url,
                  std::string(kVersion),
                  config_.memory_bytes,
                  {config_.accounts.token_lifetime_ms, config_.accounts.logins_per_account,
                   config_.accounts.logins_per_address, config_.access.sign_ups},
                  config_.client_secret,
                  config_.engine.max_dataset_bytes,
                  config_.accounts.merge_events,
                  config_.engine.max_uploads};
  deps.checkpoint = [this](std::int64_t max_age) { return maintenance_->checkpoint(max_age); };
  deps.checkpoints = folders_.checkpoints;
  deps.media = media_.get();
  deps.nodes = [this] { return cluster_->nodes(); };
  return deps;
}

// Before any account everything is open: then to this machine only.
Status Node::check_addresses() const {
  if (engine_->catalog().accounts()->any_ever()) return {};
  auto all = config_.http.listen;
  all.push_back({config_.http.host, config_.http.port, {}});
  for (const auto& one : all) {
    if (is_loopback(one.host)) continue;
    return fail(Code::kInvalid,
                "refusing to listen on " + one.host +
                    " without authentication: set an admin token, or listen on 127.0.0.1",
                "host");
  }
  return {};
}

// The rates that the configuration names, where the catalog has others.
Status Node::put_rates() {
  std::vector<ingest::Append> appends;
  const auto rates = engine_->catalog().rates();
  for (const auto& [code, value] : config_.currencies) {
    const auto kept = rates->find(code);
    if (kept != rates->end() && kept->second.value == value) continue;
    const auto digits = kept != rates->end() ? kept->second.digits : minor_digits(code);
    appends.push_back({kCatalogPartition,
                       {},
                       encode(CatalogRecord{ids_.mint(), PutRate{code, Rate{value, digits}}})});
  }
  if (appends.empty()) return {};
  MILLRACE_TRY(const auto offsets, log_->append_and_wait(std::move(appends)));
  Position position;
  position.include(kCatalogPartition, offsets.back());
  if (engine_->publisher().wait_reached(position, kRatesWaitMs)) return {};
  return fail(Code::kTimeout, "the currencies' rates were not applied within a minute");
}

Status Node::listen(const serving::Deps& deps) {
  MILLRACE_CHECK(put_admin_token(config_.admin_token, *engine_, *log_, ids_));
  MILLRACE_CHECK(check_addresses());
  MILLRACE_CHECK(put_rates());
  MILLRACE_TRY(source_, open_source(config_, *acceptor_, metrics_));
  auto options = server_options(config_, deps);
  options.gate = gate_;
  options.mark = [this](serving::Reply& reply) {
    const auto stale_ms = freshness_->stale_ms();
    if (stale_ms > 0) reply.headers.emplace_back("X-Millrace-Stale", std::to_string(stale_ms));
  };
  const auto routes = serving::all_routes(deps);
  for (const auto& one : config_.http.listen) {
    options.further.push_back({one.host, one.port, serving::only(routes, one.surfaces)});
  }
  MILLRACE_TRY(server_,
               serving::Server::start(std::move(options),
                                      serving::Router(serving::only(routes, config_.http.surfaces)),
                                      metrics_, clock_));
  for (std::size_t i = 0; i < config_.http.listen.size(); ++i) {
    auto one = config_.http.listen[i];
    one.port = server_->further_port(i);
    log_info("also listening on " + one.text());
  }
  cluster_->set_url(config_.cluster.advertise.empty()
                        ? "http://" + config_.http.host + ":" + std::to_string(server_->port())
                        : config_.cluster.advertise);
  cluster_->set_state(NodeState::kReady);
  return {};
}

Maintenance::Options Node::maintenance_options(const serving::Deps& deps, Http http) const {
  Maintenance::Options options;
  options.checkpoints = folders_.checkpoints;
  options.retention_bytes = config_.log.retention_bytes;
  options.retention_ms = config_.log.retention_ms;
  options.segment_bytes = config_.log.segment_bytes;
  if (http == Http::kListen) {
    options.audit = [deps, start = clock_.now(), interval = config_.access.audit_interval_ms] {
      return serving::audit_if_due(deps, start, interval);
    };
  }
  return options;
}

void Node::stop() {
  if (std::exchange(stopped_, true)) return;
  if (server_) {
    cluster_->set_state(NodeState::kLeaving);
    std::this_thread::sleep_for(std::chrono::milliseconds(config_.cluster.leave_grace_ms));
    server_->stop();
  }
  source_.reset();
  if (impressions_) impressions_->stop();
  media_.reset();
  if (cluster_) {
    cluster_->forget();
    cluster_->leave();
  }
  maintenance_.reset();
  if (trainer_) trainer_->stop();
  jobs_.reset();
  if (engine_) engine_->stop();
}

Status Node::carry_out(const state::Demand& demand) {
  const auto& user = demand.erase;
  auto change = demand.into.value.empty() ? CatalogChange(DemandErase{user})
                                          : CatalogChange(MergePeople{user, demand.into});
  std::vector<ingest::Append> appends;
  appends.push_back(
      {kCatalogPartition, {}, encode(CatalogRecord{ids_.mint(), std::move(change), Actor{}})});
  MILLRACE_TRY(const auto offsets, log_->append_and_wait(std::move(appends)));
  const auto& store = engine_->store(partition_of(user.value, engine_->partitions()));
  std::promise<bool> carried;
  engine_->publisher().when(
      [&store, at = offsets.front()] { return store.published().carried_catalog_offset >= at; },
      60'000, [&carried](bool done) { carried.set_value(done); });
  if (carried.get_future().get()) return {};
  return fail(Code::kTimeout, "the demand is in the log but was not applied within a minute");
}

serving::Reply Node::call(serving::Request request) const {
  auto match = router_->match(request.method, request.path);
  if (!match) return serving::problem(match.error());
  if (match->route == nullptr) return serving::problem({Code::kNotFound, "no such path", {}});
  request.params = std::move(match->params);
  request.caller.open = true;  // whoever has the data folder may do everything
  auto answer = match->route->handler(request);
  if (auto* reply = std::get_if<serving::Reply>(&answer)) return std::move(*reply);
  std::promise<serving::Reply> promise;
  auto later = promise.get_future();
  std::get<serving::Later>(answer).start(
      [&promise](const serving::Render& render) { promise.set_value(render()); });
  return later.get();
}

}  // namespace millrace::app
