#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ingest/event_log.h"
#include "schemas/catalog_record.h"
#include "schemas/event.h"
#include "state/command_outcomes.h"
#include "tests/support/oracle.h"

namespace millrace::simulation {

// What identifies an event.
using EventKey = std::string;
EventKey key_of(const std::string& user, const std::string& id);

// The plainest possible account of what the first records of a partition come to, written from
// DESIGN.md, without a look at how Millrace applies.
class PartitionModel {
 public:
  explicit PartitionModel(const std::vector<ingest::StoredRecord>& records, Offset end);

  const Oracle& oracle() const { return oracle_; }
  // Offsets of a person's events, oldest first.
  std::vector<Offset> history(const std::string& user) const;
  // How often an event was counted, whatever became of the person.
  const std::map<EventKey, int>& counted() const { return counted_; }
  bool heard_of(const EventKey& key) const { return heard_.contains(key); }
  const std::map<Offset, std::string>& dead_letters() const { return dead_letters_; }
  Offset carried() const { return carried_; }
  bool narrow() const { return narrow_; }    // an event id has left the window
  bool forgets() const { return forgets_; }  // some history is beyond retention

 private:
  struct Seen {
    EventKey key;
    UnixMillis log_time = 0;
  };
  void apply(const Interaction& interaction, Offset offset, UnixMillis log_time);
  void apply(const Ruleset& ruleset, UnixMillis log_time);
  void apply(const EraseUser& demand);
  bool seen(const EventKey& key, UnixMillis now) const;
  void bury(Offset offset, const std::string& user) { dead_letters_[offset] = user; }

  Oracle oracle_;
  std::map<std::string, std::vector<Offset>> histories_;
  std::map<EventKey, int> counted_;
  std::set<EventKey> heard_;
  std::map<Offset, std::string> dead_letters_;  // and whose they are
  std::deque<Seen> window_;
  Ruleset ruleset_;
  Offset carried_ = -1;
  bool narrow_ = false;
  bool forgets_ = false;
};

// Sign-ups: the first to ask for a name or an address has it.
std::map<std::string, state::CommandOutcome> sign_up_outcomes(
    const std::vector<ingest::StoredRecord>& catalog, Offset end);

}  // namespace millrace::simulation
