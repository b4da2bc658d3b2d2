#include "tests/simulation/world.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "schemas/interaction_table.h"
#include "schemas/record.h"

namespace millrace::simulation {
namespace {

constexpr std::size_t kTraced = 60;
constexpr int kPatience = 2'000;  // rounds until all must be quiet

}  // namespace

void Figures::add(const Figures& other) {
  acknowledged += other.acknowledged;
  resends += other.resends;
  kills += other.kills;
  power_cuts += other.power_cuts;
  restores += other.restores;
  disks += other.disks;
  reads += other.reads;
  digests += other.digests;
  records += other.records;
  refusals += other.refusals;
  rereads += other.rereads;
}

std::string Figures::text() const {
  std::ostringstream out;
  out << records << " records, " << acknowledged << " events acknowledged, " << resends
      << " sent again, " << kills << " kills, " << power_cuts << " power cuts, " << disks
      << " full disks, " << restores << " restores, " << rereads << " rebalances, " << refusals
      << " wrong logs refused, " << reads << " reads, " << digests << " digests compared";
  return out.str();
}

World::World(std::uint64_t seed)
    : dice_(seed),
      topics_(clock_, static_cast<std::uint16_t>(1 + dice_.below(3))),
      public_(dice_, 1 + dice_.below(2)),
      around_{clock_, topics_, dice_, disks_},
      users_(2 + dice_.below(6)),
      narrow_(dice_.chance(30)),
      trims_(dice_.chance(15)) {
  topics_.log_time = [this] {
    return clock_.now() - (dice_.chance(5) ? static_cast<UnixMillis>(dice_.below(3'000)) : 0);
  };
  Ruleset ruleset;
  ruleset.types = InteractionTable().names();
  for (std::uint16_t p = 0; p < topics_.partitions(); ++p) {
    topics_.land({{Topic::kInteractions, p}, {}, encode(LogRecord{ruleset})});
  }
  const auto machines = 2 + dice_.below(2);
  for (std::uint64_t m = 0; m < machines; ++m) machines_.emplace_back(around_, static_cast<int>(m));
  for (auto& machine : machines_) start(machine);
}

void World::tell(const Machine& machine, const std::string& what) {
  trace_.push_back("node " + std::to_string(machine.number()) + ": " + what);
  if (trace_.size() > kTraced) trace_.pop_front();
}

void World::run() {
  const auto steps = 150 + dice_.below(450);
  for (std::uint64_t i = 0; i < steps; ++i) step();
  finish();
  for (const auto& name : topics_.names()) {
    figures_.records += static_cast<std::uint64_t>(topics_.end(name));
  }
}

void World::step() {
  auto& machine = dice_.pick(machines_);
  if (!machine.up()) {
    if (dice_.chance(40)) start(machine);
    return;
  }
  if (dice_.chance(30)) clock_.advance(static_cast<UnixMillis>(dice_.below(2'000)));
  if (!requests_.empty() && dice_.chance(3)) requests_.erase(requests_.begin());  // no patience
  try {
    switch (dice_.below(12)) {
      case 0:
      case 1: send_events(machine); break;
      case 2:
        if (dice_.chance(30)) new_command();
        send_command(machine);
        break;
      case 3:
        if (dice_.chance(60)) publish_event();
        if (dice_.chance(7)) propose_ruleset(machine);
        if (dice_.chance(3)) topics_.land({{Topic::kInteractions, 0}, {}, "no record at all"});
        break;
      case 4:
        if (dice_.chance(15)) read_own_write(machine);
        if (dice_.chance(5)) check_commands(machine);
        break;
      case 5: step_mishap(machine); break;
      default:
        for (auto n = 1 + dice_.below(4); n > 0; --n) step_machine(machine);
    }
  } catch (const Killed&) {
    ++figures_.kills;
    tell(machine, "killed between two writes");
    die(machine, machine.kill());
  }
}

// One thing that one of a node's threads does next.
void World::step_machine(Machine& machine) {
  auto& parts = machine.running();
  const auto p = static_cast<std::uint16_t>(dice_.below(topics_.partitions()));
  switch (dice_.below(14)) {
    case 0:
    case 1: return parts.log.land();
    case 2: return parts.log.answer();
    case 3: return parts.log.deliver();
    case 4:
    case 5:
    case 6: {
      const auto stepped = parts.runners[p]->step();
      if (!stepped) throw Violation{"a partition stopped: " + stepped.error().detail};
      return;
    }
    case 7: return parts.publisher.step();
    case 8:
      if (parts.commits.failure().empty()) parts.runners[p]->commit_now();
      return;
    case 9: {
      const auto before = parts.stores[p]->digest().first;
      if (parts.commits.step() && parts.stores[p]->digest().first != before) {
        note_digest(machine, {Topic::kInteractions, p});
      }
      return;
    }
    case 10: {
      const auto stepped = parts.catalog_runner->step();
      if (!stepped) throw Violation{"the catalog stopped: " + stepped.error().detail};
      return;
    }
    case 11:
      if (parts.catalog_runner->commit_if_due()) return note_digest(machine, kCatalogPartition);
      (void)parts.catalog->db().reopen();
      return;
    case 12: {
      const ClusterLog::Waiting waits(parts.log);
      (void)parts.catalog_runner->carry();  // tried again later when the log cannot be written
      return;
    }
    default: {
      const ClusterLog::Waiting waits(parts.log);
      dice_.chance(50) ? public_.fetch(machine.number())
                       : public_.settle(machine.number(), *parts.acceptor);
    }
  }
}

void World::step_mishap(Machine& machine) {
  if (!limbo_.empty() && dice_.chance(30)) land_left_behind(topics_, limbo_, 1 + dice_.below(3));
  const auto what = dice_.below(40);
  if (what < 3) {
    ++figures_.kills;
    tell(machine, "killed");
    die(machine, machine.kill());
  } else if (what < 6) {
    machine.die_at_write(1 + dice_.below(12));
    tell(machine, "will die at a write");
  } else if (what == 6) {
    ++figures_.power_cuts;
    tell(machine, "power cut");
    die(machine, machine.cut_power());
  } else if (what < 10) {
    figures_.disks += machine.disk_is_full() ? 0 : 1;
    machine.fill_disk(!machine.disk_is_full());
    tell(machine, machine.disk_is_full() ? "disk full" : "disk has room");
  } else if (what < 16) {
    ++figures_.rereads;
    public_.assign(dice_.below(public_.records().size()), machine.number());
  } else if (what == 16 && others_hold(machine)) {
    tell(machine, "disk lost");
    ++figures_.kills;
    die(machine, machine.wipe());
    if (dice_.chance(60)) restore(machine);
  } else if (what == 17 && trims_) {
    trim();
  }
}

void World::start(Machine& machine) {
  const auto started = machine.start();
  if (started) return tell(machine, "started");
  // With an empty disk, a log that has lost its beginning is no place to start from.
  const auto names = topics_.names();
  const bool needs_peer = std::any_of(names.begin(), names.end(), [&](const auto& name) {
    return topics_.start(name) > machine.synced(name);
  });
  if (!needs_peer) throw Violation{"a node does not start: " + started.error().detail};
  restore(machine);
}

// From the checkpoint of a living peer, if there is one that can make it.
void World::restore(Machine& machine) {
  for (auto& donor : machines_) {
    if (!donor.up() || donor.disk_is_full() || &donor == &machine) continue;
    donor.die_at_write(0);
    if (!donor.commit_all()) continue;
    machine.restore_from(donor);
    ++figures_.restores;
    tell(machine, "restored from node " + std::to_string(donor.number()));
    return;
  }
}

void World::die(Machine& machine, std::deque<InFlight> left) {
  public_.leave(machine.number());
  std::erase_if(requests_, [&](const auto& r) { return r.second.machine == machine.number(); });
  // What was on the way arrives later, or never.
  for (auto& request : left) {
    if (dice_.chance(60)) limbo_.push_back(std::move(request));
  }
}

// Behind what every machine has on its disk for good.
void World::trim() {
  for (const auto& name : topics_.names()) {
    Offset keep = topics_.end(name);
    for (const auto& machine : machines_) keep = std::min(keep, machine.synced(name));
    if (keep > topics_.start(name)) topics_.trim(name, keep);
  }
}

// Another machine's disk reaches the logs' beginnings. Who loses the last such disk behind a
// trimmed log has lost everything, which nobody promises to survive.
bool World::others_hold(const Machine& machine) const {
  const auto names = topics_.names();
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& other) {
    return &other != &machine && std::all_of(names.begin(), names.end(), [&](const auto& name) {
      return topics_.start(name) <= other.synced(name);
    });
  });
}

Machine* World::any_up() {
  for (auto& machine : machines_) {
    if (machine.up()) return &machine;
  }
  return nullptr;
}

bool World::quiet() {
  const auto waits = [](const auto& item) { return !item.acknowledged; };
  if (std::any_of(events_.begin(), events_.end(), waits) ||
      std::any_of(commands_.begin(), commands_.end(), waits) || !public_.drained()) {
    return false;
  }
  for (auto& machine : machines_) {
    if (!machine.up()) return false;
    auto& parts = machine.running();
    for (const auto& name : topics_.names()) {
      if (parts.publisher.visible(name) < topics_.end(name)) return false;
    }
  }
  return true;
}

// All is well from here on: everything comes to its end.
void World::catch_up() {
  for (auto& machine : machines_) {
    if (!machine.up()) start(machine);
    if (!machine.up()) continue;
    auto& parts = machine.running();
    parts.log.be_well();
    send_events(machine);
    send_command(machine);
    public_.fetch(machine.number());
    public_.settle(machine.number(), *parts.acceptor);
    parts.log.settle();
    while (parts.catalog_runner->step().value()) continue;
    const auto carried = parts.catalog_runner->carry();
    if (!carried) throw Violation{"erasures are not carried: " + carried.error().detail};
    parts.log.deliver_all();
    for (const auto& runner : parts.runners) {
      while (runner->step().value()) parts.commits.step();
    }
    parts.commits.step();
    parts.publisher.step();
  }
}

void World::finish() {
  public_.be_well();
  while (land_left_behind(topics_, limbo_, 1)) continue;
  for (auto& machine : machines_) {
    machine.fill_disk(false);
    machine.die_at_write(0);
  }
  int rounds = 0;
  do {
    catch_up();
    for (std::size_t p = 0; p < public_.records().size(); ++p) {
      if (auto* machine = any_up(); rounds % 3 == 0 && machine)
        public_.assign(p, machine->number());
    }
    if (++rounds > kPatience) throw Violation{"it does not come to rest"};
  } while (!quiet());
  std::vector<PartitionModel> models;
  for (std::uint16_t p = 0; p < topics_.partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    models.emplace_back(topics_.all(partition), topics_.end(partition));
  }
  for (auto& machine : machines_) {
    if (!machine.commit_all()) throw Violation{"a healthy disk is not written"};
    check_machine(machine, models);
  }
  check_acknowledged(models);
  check_public_topic(models);
  if (topics_.start(kCatalogPartition) == 0 && topics_.start({Topic::kInteractions, 0}) == 0 &&
      !trims_) {
    check_replay();
  }
  check_refusal(dice_.pick(machines_));
}

}  // namespace millrace::simulation
