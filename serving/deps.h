#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/acceptor.h"
#include "ingest/event_log.h"
#include "processors/engine.h"
#include "schemas/uuid7.h"

namespace millrace::serving {

struct SurfaceOptions {
  int position_wait_ms = 5'000;     // longest wait for a position, and for a write to be visible
  std::size_t max_events = 10'000;  // in one request
  std::string public_url;           // for links in feeds; empty: they are relative
  std::string version;              // of the program
  std::size_t memory_budget_bytes = 0;
};

// What handlers work with. Everything outlives the server.
struct Deps {
  processors::Engine* engine = nullptr;
  ingest::EventLog* log = nullptr;
  const ingest::Acceptor* acceptor = nullptr;
  const Clock* clock = nullptr;
  Uuid7Minter* ids = nullptr;  // of commands and recommendations
  Metrics* metrics = nullptr;
  SurfaceOptions options;
  // Makes, verifies and keeps a checkpoint of the state; answers its path. Takes long: call it off
  // the server's threads.
  std::function<Result<std::string>()> checkpoint;
};

}  // namespace millrace::serving
