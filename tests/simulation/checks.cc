#include <algorithm>
#include <sstream>
#include <string>

#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {
namespace {

std::string name_of(LogPartition partition) {
  return partition == kCatalogPartition ? "the catalog"
                                        : "partition " + std::to_string(partition.index);
}

template <class T>
void must_equal(const T& is, const T& should_be, const std::string& what) {
  if (is == should_be) return;
  throw Violation{what + " is " + std::to_string(is) + " and should be " +
                  std::to_string(should_be)};
}

std::string joined(const std::vector<Offset>& offsets) {
  std::string text;
  for (const auto offset : offsets) text += ' ' + std::to_string(offset);
  return '[' + text + " ]";
}

}  // namespace

std::uint16_t World::partition_of_user(const std::string& user) const {
  return partition_of(user, topics_.partitions());
}

void World::note_digest(Machine& machine, LogPartition partition) {
  const auto [offset, digest] = machine.committed(partition);
  ++figures_.digests;
  const auto [at, fresh] = digests_.emplace(std::pair(partition, offset), digest.text());
  if (fresh || at->second == digest.text()) return;
  throw Violation{"node " + std::to_string(machine.number()) + " has digest " + digest.text() +
                  " of " + name_of(partition) + " at " + std::to_string(offset) + ", another had " +
                  at->second};
}

// Any machine that says it has reached the position of an acknowledged event shows that event; and
// whatever it shows is what its log says.
void World::read_own_write(Machine& machine) {
  if (events_.empty()) return;
  const auto& sent = dice_.pick(events_);
  if (!sent.acknowledged) return;
  ++figures_.reads;
  const auto p = partition_of_user(sent.event.user);
  const LogPartition partition{Topic::kInteractions, p};
  auto& parts = machine.running();
  const auto published = parts.stores[p]->published().next_offset;
  if (parts.publisher.visible(partition) > published) {
    throw Violation{"a position is visible before its pages"};
  }
  const PartitionModel model(topics_.all(partition), published);
  check_history(machine, sent.event.user, model);
  if (!parts.publisher.reached(sent.position)) return;
  if (!model.heard_of(key_of(sent.event.user, sent.event.id))) {
    throw Violation{"event " + sent.event.id + " of " + sent.event.user +
                    " was acknowledged, and is not below its position"};
  }
}

void World::check_history(Machine& machine, const std::string& user, const PartitionModel& model) {
  if (model.forgets()) return;
  auto& store = *machine.running().stores[partition_of_user(user)];
  state::HistoryQuery query;
  query.limit = 10'000;
  const auto history = store.history(user, query);
  if (!history) throw Violation{"a history cannot be read: " + history.error().detail};
  std::vector<Offset> shown;
  for (const auto& item : *history) shown.push_back(item.offset);
  std::reverse(shown.begin(), shown.end());
  const auto expected = model.history(user);
  if (shown == expected) return;
  throw Violation{"node " + std::to_string(machine.number()) + " shows " + user + " as " +
                  joined(shown) + " at " + std::to_string(store.published().next_offset) +
                  " of partition " + std::to_string(store.partition()) + ", the log says " +
                  joined(expected)};
}

void World::check_commands(Machine& machine) {
  auto& catalog = *machine.running().catalog;
  const auto outcomes = sign_up_outcomes(topics_.all(kCatalogPartition), catalog.next_offset());
  for (auto& command : commands_) {
    const auto& id = command.record.command_id;
    const auto verdict = catalog.verdict(id);
    if (!verdict) continue;
    if (!command.verdict) command.verdict = verdict;
    if (!(*command.verdict == *verdict)) {
      throw Violation{"command " + id + " has two verdicts"};
    }
    const auto expected = outcomes.find(id);
    if (expected != outcomes.end()) {
      must_equal(static_cast<int>(verdict->outcome), static_cast<int>(expected->second),
                 "the outcome of sign-up " + id);
    }
  }
}

void World::check_machine(Machine& machine, const std::vector<PartitionModel>& models) {
  auto& parts = machine.running();
  for (const auto& partition : topics_.names()) note_digest(machine, partition);
  for (std::uint16_t p = 0; p < models.size(); ++p) {
    const auto& model = models[p];
    must_equal(parts.stores[p]->published().carried_catalog_offset, model.carried(),
               "what has been carried to partition " + std::to_string(p));
    std::vector<Offset> expected, shown;
    for (const auto& [offset, user] : model.dead_letters()) expected.push_back(offset);
    const auto letters = parts.stores[p]->dead_letters(0, 10'000);
    if (!letters) throw Violation{"dead letters cannot be read: " + letters.error().detail};
    for (const auto& letter : *letters) shown.push_back(letter.offset);
    if (shown != expected) {
      throw Violation{"dead letters of partition " + std::to_string(p) + " are " + joined(shown) +
                      " and should be " + joined(expected)};
    }
  }
  for (std::uint64_t u = 0; u < users_; ++u) {
    const auto user = "user " + std::to_string(u);
    check_history(machine, user, models[partition_of_user(user)]);
  }
  // A demand of the catalog has reached its person's partition.
  for (const auto& demand : parts.catalog->demands_after(-1, 10'000)) {
    if (models[partition_of_user(demand.erase.value)].carried() < demand.catalog_offset) {
      throw Violation{"the erasure of " + demand.erase.value + " was not carried"};
    }
  }
  check_items(machine, models);
  check_commands(machine);
}

void World::check_items(Machine& machine, const std::vector<PartitionModel>& models) {
  auto& parts = machine.running();
  for (int i = 1; i <= 6; ++i) {
    const auto id = "movie:" + std::to_string(i);
    OracleItem sum;
    std::uint64_t likes = 0, saves = 0, watchers = 0, raters = 0;
    double stars = 0;
    for (const auto& model : models) {
      const auto found = model.oracle().items().find(id);
      if (found == model.oracle().items().end()) continue;
      const auto& item = found->second;
      sum.views += item.views;
      sum.shares += item.shares;
      sum.plays += item.plays;
      likes += item.likers.size();
      saves += item.savers.size();
      watchers += item.watchers.size();
      raters += item.ratings.size();
      for (const auto& [user, value] : item.ratings) stars += value;
    }
    const auto index = parts.items.find(id);
    const auto counts = index ? parts.views->counts(*index) : state::ItemCounts{};
    const auto of = " of " + id + " on node " + std::to_string(machine.number());
    must_equal(counts.views, sum.views, "views" + of);
    must_equal(counts.shares, sum.shares, "shares" + of);
    must_equal(counts.plays, sum.plays, "plays" + of);
    must_equal(counts.likes, likes, "likes" + of);
    must_equal(counts.saves, saves, "saves" + of);
    must_equal(counts.watchers, watchers, "watchers" + of);
    must_equal(counts.raters, raters, "raters" + of);
    must_equal(counts.rating_sum_centi, static_cast<std::int64_t>(stars * 100), "ratings" + of);
  }
}

// Exactly once, whatever became of the person since. Ids that have left a window may count again.
void World::check_acknowledged(const std::vector<PartitionModel>& models) {
  for (const auto& sent : events_) {
    const auto& model = models[partition_of_user(sent.event.user)];
    const auto found = model.counted().find(key_of(sent.event.user, sent.event.id));
    const int times = found == model.counted().end() ? 0 : found->second;
    if (times == 1 || model.narrow() || narrow_) continue;
    throw Violation{"event " + sent.event.id + " of " + sent.event.user +
                    " was acknowledged and counts " + std::to_string(times) + " times"};
  }
}

void World::check_public_topic(const std::vector<PartitionModel>& models) {
  for (std::size_t p = 0; p < public_.records().size(); ++p) {
    for (std::size_t at = 0; at < public_.records()[p].size(); ++at) {
      const PublicTopic::Place place{static_cast<std::int32_t>(p), static_cast<Offset>(at)};
      const auto& record = public_.records()[p][at];
      if (public_.dead_letters().contains(place) != record.poison) {
        throw Violation{"record " + std::to_string(at) + " of the public topic is " +
                        (record.poison ? "poison and not" : "good and") + " in the dead letters"};
      }
      if (record.poison || narrow_) continue;
      const auto& event = published_.at(place);
      const auto& model = models[partition_of_user(event.user)];
      auto id = event.id;
      if (id.empty()) id = ingest::events_of(public_.view(place), "simulated").value()[0].event->id;
      const auto found = model.counted().find(key_of(event.user, id));
      must_equal(found == model.counted().end() ? 0 : found->second, 1,
                 "how often event " + id + " of the public topic counts");
    }
  }
}

// A new machine with an empty disk reads it all, and is like the others.
void World::check_replay() {
  Machine fresh(around_, 99);
  const auto started = fresh.start();
  if (!started) throw Violation{"a new node does not start: " + started.error().detail};
  auto& parts = fresh.running();
  parts.log.deliver_all();
  while (parts.catalog_runner->step().value()) continue;
  for (const auto& runner : parts.runners) {
    while (runner->step().value()) parts.commits.step();
  }
  if (!fresh.commit_all()) throw Violation{"a new node cannot commit"};
  for (const auto& partition : topics_.names()) note_digest(fresh, partition);
}

// A log that is not the one that was applied is refused, loudly.
void World::check_refusal(Machine& machine) {
  std::vector<LogPartition> with_records;
  for (const auto& partition : topics_.names()) {
    if (topics_.end(partition) > 0) with_records.push_back(partition);
  }
  if (with_records.empty()) return;
  const auto partition = dice_.pick(with_records);
  const auto end = topics_.end(partition);
  Topics other = topics_;
  const auto fault = dice_.below(3);
  if (fault < 2) other.truncate(partition, end - 1);
  if (fault == 1) other.land({partition, {}, "of another log"});
  if (fault == 2) {
    other.land({partition, {}, "one more"});
    other.trim(partition, end + 1);
  }
  machine.kill();
  const auto status = machine.would_start_with(other);
  ++figures_.refusals;
  // From a peer's checkpoint a trimmed log is enough; to one that differs there is no way back.
  if (!status && status.error().code == (fault == 2 ? Code::kNotFound : Code::kCorrupt)) return;
  throw Violation{"a log that was " +
                  std::string(fault == 0   ? "truncated"
                              : fault == 1 ? "replaced"
                                           : "trimmed past the state") +
                  " was not refused for " + name_of(partition)};
}

std::string World::log_text() const {
  std::ostringstream out;
  for (const auto& name : topics_.names()) {
    for (const auto& record : topics_.all(name)) {
      out << (name == kCatalogPartition ? "c" : "i" + std::to_string(name.index)) << ':'
          << record.offset << " at " << record.append_time - kStart << ": ";
      const auto decoded = decode_log_record(record.bytes);
      if (name == kCatalogPartition || !decoded) {
        out << (name == kCatalogPartition ? "a command" : "no record");
      } else if (const auto* interaction = std::get_if<Interaction>(&*decoded)) {
        const auto& event = interaction->event;
        out << event.user.value << ' ' << event.id << ' ' << interaction->type_number << " of "
            << event.item.value;
      } else if (const auto* ruleset = std::get_if<Ruleset>(&*decoded)) {
        out << "rules: " << ruleset->dedupe_ids << " ids, " << ruleset->dedupe_ms << " ms, "
            << ruleset->types.size() << " types";
      } else if (const auto* expire = std::get_if<ExpireTracked>(&*decoded)) {
        out << "expire rows of " << expire->user.value;
      } else {
        const auto& demand = std::get<EraseUser>(*decoded);
        out << "erase " << demand.user.value << ", c:" << demand.catalog_offset;
      }
      out << '\n';
    }
  }
  return out.str();
}

}  // namespace millrace::simulation
