#pragma once
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/acceptor.h"
#include "ingest/impressions.h"
#include "ingest/memory_log.h"
#include "processors/engine.h"
#include "processors/training/jobs.h"
#include "processors/training/trainer.h"
#include "schemas/json_value.h"
#include "schemas/uuid7.h"
#include "serving/deps.h"
#include "serving/http/dispatcher.h"
#include "serving/http/gate.h"
#include "serving/http/message.h"
#include "serving/live/hub.h"
#include "serving/media/media.h"
#include "tests/support/temp_dir.h"

namespace millrace {

// An answer, with a way into its JSON.
struct TestReply {
  serving::Reply reply;
  Json json;  // null when the body is none

  int status() const { return reply.status; }
  const std::string& body() const { return reply.body; }
  std::string header(std::string_view name) const;  // "" when absent
  std::string position() const { return header("X-Millrace-Position"); }

  // A value by its path, "items.0.id": a string's content, a number's or truth's spelling, "" where
  // there is nothing.
  std::string at(std::string_view path) const;
  double number(std::string_view path) const;     // NaN where there is none
  const Json* find(std::string_view path) const;  // null where there is nothing
  std::size_t size(std::string_view path) const;  // of an array; 0 where there is none
  std::vector<std::string> ids(std::string_view path = "items") const;  // `id` of each element
};

struct TestNodeOptions {
  processors::EngineOptions engine;  // `directory` is set by the node
  serving::SurfaceOptions surface;
  // `folder` is set by the node; models are trained on request alone unless asked for.
  processors::Trainer::Options training{.folder = {},
                                        .again = {},
                                        .linear = {},
                                        .linear_again = {},
                                        .change = 0,
                                        .look_ms = 10,
                                        .train_program = {}};
  serving::GateOptions gate;  // no limits unless asked for
  ingest::Impressions::Options impressions;
  serving::LiveOptions live;
  serving::MediaOptions media{.directory = {}, .ffmpeg = {}};  // `directory` is set by the node
  // Gives what other nodes have; null: there are none.
  decltype(serving::MediaLinks::fetch) fetch_media = nullptr;
  std::int64_t block_ms = 3'600'000;
  std::uint16_t partitions = 3;
  bool shared = false;  // other nodes write the log too
};

// All of Millrace but the socket, the configuration and the disk log: a real engine over a log in
// memory, with a clock that stands still. The handlers are asked through the real dispatcher.
class TestNode {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  using Options = TestNodeOptions;
  explicit TestNode(Options options = {});
  ~TestNode();

  // Waits for an answer that comes later, and for all of a streamed body. A body is sent as JSON
  // unless a header says otherwise.
  TestReply call(const std::string& method, const std::string& target, const std::string& body = {},
                 Headers headers = {});
  // Where requests come from from now on.
  void come_from(const std::string& address) { address_ = Address::parse(address).value(); }
  TestReply get(const std::string& target, Headers headers = {}) {
    return call("GET", target, {}, std::move(headers));
  }
  // The same without waiting: an answer that has not come yet is left behind.
  std::future<TestReply> begin(const std::string& method, const std::string& target,
                               const std::string& body = {}, Headers headers = {});

  // An item and an event, visible when these return. They must succeed.
  void put(const std::string& id, const std::string& members = "");  // "\"title\":\"Toy Story\""
  void event(const std::string& type, const std::string& user, const std::string& item,
             const std::string& more_data = "");  // "\"value\":4"

  // Stops the engine and opens it again; with `forget`, over nothing but the log.
  void restart(bool forget = false);
  std::string models_folder() const { return directory_.path() / "ai-models"; }
  processors::Trainer& trainer() { return *trainer_; }
  processors::Jobs& jobs() { return *jobs_; }
  // What the node knows of itself and others.
  void set_nodes(std::vector<serving::NodeView> nodes) { nodes_ = std::move(nodes); }
  void stop_applying() { engine_->stop(); }

  processors::Engine& engine() { return *engine_; }
  serving::Media& media() { return *media_; }
  // Where videos are.
  std::string media_folder() const { return directory_.path() / "media"; }
  ingest::MemoryLog& log() { return log_; }
  ManualClock& clock() { return clock_; }
  Metrics& metrics() { return metrics_; }
  const serving::Deps& deps() const { return deps_; }
  const std::vector<serving::Route>& routes() const { return routes_; }

 private:
  void start();
  void stop_training();

  Options options_;
  Address address_ = Address::parse("127.0.0.1").value();
  TempDir directory_;
  ManualClock clock_{1'790'000'000'000};
  Metrics metrics_;
  Uuid7Minter ids_{clock_};
  ingest::MemoryLog log_;
  int generation_ = 0;  // names the state's folder
  std::unique_ptr<processors::Engine> engine_;
  std::unique_ptr<ingest::Impressions> impressions_;
  std::unique_ptr<ingest::Acceptor> acceptor_;
  std::unique_ptr<processors::Trainer> trainer_;
  std::unique_ptr<processors::Jobs> jobs_;
  std::unique_ptr<serving::Media> media_;
  serving::Deps deps_;
  std::shared_ptr<serving::Gate> gate_;
  std::unique_ptr<serving::LiveHub> live_;
  std::vector<serving::Route> routes_;
  std::vector<serving::NodeView> nodes_;
  std::unique_ptr<serving::HttpMetrics> http_metrics_;
  std::unique_ptr<serving::Dispatcher> dispatcher_;
};

}  // namespace millrace
