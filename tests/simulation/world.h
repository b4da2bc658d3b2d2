#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schemas/catalog_record.h"
#include "schemas/position.h"
#include "state/command_outcomes.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/model.h"
#include "tests/simulation/node.h"
#include "tests/simulation/source.h"
#include "tests/support/oracle.h"

namespace millrace::simulation {

// What went wrong in a run.
struct Violation {
  std::string what;
};

// What has happened in runs, so that a test can see that it did.
struct Figures {
  std::uint64_t acknowledged = 0, resends = 0, kills = 0, power_cuts = 0, restores = 0, disks = 0,
                reads = 0, digests = 0, records = 0, refusals = 0, rereads = 0;
  void add(const Figures& other);
  std::string text() const;
};

// Machines, clients and a cluster, whose next step is always the dice's choice: nothing runs beside
// anything else, no time passes but the simulated one, so that a seed is a run.
class World {
 public:
  explicit World(std::uint64_t seed);
  // Throws Violation.
  void run();
  const Figures& figures() const { return figures_; }
  const std::deque<std::string>& trace() const { return trace_; }
  std::string log_text() const;  // what the partitions' logs hold, a line each record

 private:
  struct Sent {  // an event of a client's
    OracleEvent event;
    bool acknowledged = false;
    std::uint64_t request = 0;  // that it is in; 0: none
    Position position;
  };
  struct Command {
    CatalogRecord record;
    bool acknowledged = false;
    std::uint64_t request = 0;
    std::optional<state::CommandVerdict> verdict;
  };
  struct Request {
    int machine = 0;
    int age = 0;
  };

  // ---- world.cc: what may happen
  void step();
  void step_machine(Machine& machine);
  void step_mishap(Machine& machine);
  void finish();
  void catch_up();
  bool quiet();
  bool others_hold(const Machine& machine) const;
  Machine* any_up();
  void start(Machine& machine);
  void restore(Machine& machine);
  void die(Machine& machine, std::deque<InFlight> left);
  void trim();
  void tell(const Machine& machine, const std::string& what);

  // ---- clients.cc: what clients do
  OracleEvent new_event();
  void send_events(Machine& machine);
  void send_command(Machine& machine);
  void new_command();
  void propose_ruleset(Machine& machine);
  void publish_event();
  template <class Item>
  bool may_send(const Item& item) const;
  std::uint64_t begin_request(const Machine& machine);

  // ---- checks.cc: what must hold
  void note_digest(Machine& machine, LogPartition partition);
  void read_own_write(Machine& machine);
  void check_history(Machine& machine, const std::string& user, const PartitionModel& model);
  void check_commands(Machine& machine);
  void check_machine(Machine& machine, const std::vector<PartitionModel>& models);
  void check_items(Machine& machine, const std::vector<PartitionModel>& models);
  void check_acknowledged(const std::vector<PartitionModel>& models);
  void check_public_topic(const std::vector<PartitionModel>& models);
  void check_replay();
  void check_refusal(Machine& machine);
  std::uint16_t partition_of_user(const std::string& user) const;

  static constexpr UnixMillis kStart = 1'700'000'000'000;

  Dice dice_;
  ManualClock clock_{kStart};
  state::RocksShared disks_{
      {.cache_bytes = 1u << 20, .write_buffer_bytes = 6u << 20, .in_memory = true}};
  Topics topics_;
  PublicTopic public_;
  Surroundings around_;
  std::deque<Machine> machines_;
  std::deque<InFlight> limbo_;  // what the dead have left on the way
  std::vector<Sent> events_;
  std::vector<Command> commands_;
  std::map<PublicTopic::Place, OracleEvent> published_;
  std::map<std::uint64_t, Request> requests_;  // unanswered
  std::uint64_t last_request_ = 0;
  std::uint64_t last_event_ = 0;
  std::uint64_t users_ = 0;
  bool narrow_ = false;  // rulesets with windows that ids fall out of
  bool trims_ = false;
  std::map<std::pair<LogPartition, Offset>, std::string> digests_;
  Figures figures_;
  std::deque<std::string> trace_;  // the last steps
};

}  // namespace millrace::simulation
