#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "schemas/event_json.h"
#include "schemas/interaction_table.h"
#include "schemas/position.h"
#include "schemas/uuid7.h"
#include "state/duplicates.h"

namespace millrace::ingest {

struct Rejected {
  std::size_t index = 0;  // of the event in its request
  std::string id;         // as given
  Error error;
};

// One event that went to the log. Whether it was the first of its identity, apply decides.
struct Appended {
  std::size_t index = 0;
  std::string id;
  bool minted = false;  // the client gave no id
  LogPartition partition;
  Offset offset = 0;
  state::Identity identity;
};

// What became of the events of one request: appended + duplicates + rejected = sent.
struct Receipt {
  std::vector<Appended> appended;
  std::size_t duplicates = 0;  // known before the append, or twice in this request
  std::vector<Rejected> rejected;
  Position position;  // of what was appended, and of the first copies of known duplicates
};

// Turns parsed events into records of the log: checks them against the interaction table, mints
// ids, drops known duplicates, appends. Knows no transport. Thread-safe.
class Acceptor {
 public:
  // The first copy of an identity, when it is known already.
  using FindFirst = std::function<std::optional<state::FirstSeen>(std::uint16_t partition,
                                                                  const state::Identity&)>;
  struct Options {
    std::int64_t future_ms = 5 * 60 * 1000;  // event times later than this beyond now are refused
    // The highest user number that accounts keep clear of; null: numbers are not reserved.
    std::function<std::uint64_t()> highest_user = nullptr;
    // Called before events that name a recommendation are appended: what is known of it goes into
    // the log first. May be null.
    std::function<void()> before_attributed = nullptr;
  };
  Acceptor(EventLog& log, std::shared_ptr<const InteractionTable> table, FindFirst find_first,
           const Clock& clock, Metrics& metrics, Options options);

  // `done` gets the receipt when everything accepted is durable, or the log's error (then nothing
  // was kept, except as the error says). Called exactly once, maybe at once.
  void accept(std::vector<EventOutcome> events, std::function<void(Result<Receipt>)> done) const;

  // One interaction as the log holds it, or why not.
  Result<Interaction> check(Event event) const;

 private:
  void reserve_users(std::vector<Append>& appends) const;

  EventLog& log_;
  std::shared_ptr<const InteractionTable> table_;
  FindFirst find_first_;
  const Clock& clock_;
  mutable Uuid7Minter ids_;
  Options options_;
  Counter& accepted_;
  Counter& duplicates_;
  Counter& rejected_;
};

}  // namespace millrace::ingest
