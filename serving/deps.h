#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/acceptor.h"
#include "ingest/event_log.h"
#include "ingest/impressions.h"
#include "processors/engine.h"
#include "processors/training/jobs.h"
#include "processors/training/trainer.h"
#include "schemas/node_record.h"
#include "schemas/uuid7.h"

namespace millrace::serving {

class Gate;
class LiveHub;
class Media;

struct AccountOptions {
  std::int64_t token_lifetime_ms = 30LL * 24 * 3'600'000;
  std::uint32_t logins_per_account = 10;  // tries a minute, and as many at once; 0: no limit
  std::uint32_t logins_per_address = 60;
  std::uint32_t sign_ups = 600;  // a minute, of everybody together; 0: no limit
};

struct SurfaceOptions {
  int position_wait_ms = 5'000;     // longest wait for a position, and for a write to be visible
  std::size_t max_events = 10'000;  // in one request
  std::string public_url;           // for links in feeds; empty: they are relative
  std::string version;              // of the program
  std::size_t memory_budget_bytes = 0;
  AccountOptions accounts{};
  std::string client_secret;                     // of Policy::kSecret; empty: services' keys alone
  std::uint64_t max_dataset_bytes = 1ULL << 30;  // of an uploaded CSV file
  std::uint64_t max_merged_events = 100'000;     // of a person who is merged into another
  std::size_t max_uploads = 4;                   // of datasets at once
};

// A node as this one knows it.
struct NodeView {
  NodeRecord record;
  std::int64_t heard_ms = 0;  // ago
  bool self = false;
};

// What handlers work with. Everything outlives the server.
struct Deps {
  processors::Engine* engine = nullptr;
  ingest::EventLog* log = nullptr;
  const ingest::Acceptor* acceptor = nullptr;
  ingest::Impressions* impressions = nullptr;
  const Clock* clock = nullptr;
  Uuid7Minter* ids = nullptr;  // of commands and recommendations
  Metrics* metrics = nullptr;
  processors::Jobs* jobs = nullptr;
  processors::Trainer* trainer = nullptr;
  Gate* gate = nullptr;  // null: nothing is limited, nobody blocked
  LiveHub* live = nullptr;
  SurfaceOptions options;
  // Makes, verifies and keeps a checkpoint of the state, or gives the newest when it is not older
  // than that; answers its path. Takes long: call it off the server's threads.
  std::function<Result<std::string>(std::int64_t max_age_ms)> checkpoint;
  std::string checkpoints;  // the folder they are in
  Media* media = nullptr;   // null: there are no uploads
  // This node and those that it hears of, by id.
  std::function<std::vector<NodeView>()> nodes;
};

}  // namespace millrace::serving
