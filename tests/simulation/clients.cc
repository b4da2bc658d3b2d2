#include <array>
#include <string>
#include <utility>

#include "schemas/event_json.h"
#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {
namespace {

constexpr std::array kTypes = {"view",  "view", "like",   "unlike", "dislike", "save", "unsave",
                               "share", "rate", "unrate", "watch",  "unwatch", "play"};
constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kMaxEvents = 400;

}  // namespace

OracleEvent World::new_event() {
  OracleEvent event;
  event.id = "e" + std::to_string(last_event_++);
  event.user = "user " + std::to_string(dice_.below(users_));
  event.item = "movie:" + std::to_string(1 + dice_.below(6));
  event.type = kTypes[dice_.below(kTypes.size())];
  if (event.type == "rate") event.value = 0.5 * static_cast<double>(1 + dice_.below(10));
  return event;
}

// A request that has no answer is given up when its machine is gone, or now and then before.
template <class Item>
bool World::may_send(const Item& item) const {
  return !item.acknowledged && !requests_.contains(item.request);
}

std::uint64_t World::begin_request(const Machine& machine) {
  requests_[++last_request_] = {machine.number(), machine.age()};
  return last_request_;
}

void World::send_events(Machine& machine) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < events_.size() && chosen.size() < kAtOnce; ++i) {
    if (may_send(events_[i])) chosen.push_back(i);
  }
  // What was acknowledged is sent again now and then: a client that forgot.
  if (!events_.empty() && dice_.chance(10)) chosen.push_back(dice_.below(events_.size()));
  figures_.resends += chosen.size();
  while (chosen.size() < kAtOnce && events_.size() < kMaxEvents && dice_.chance(70)) {
    chosen.push_back(events_.size());
    events_.push_back({new_event(), false, 0, {}});
  }
  if (chosen.empty()) return;
  const auto request = begin_request(machine);
  std::string body = "[";
  for (const auto i : chosen) {
    if (body.size() > 1) body += ',';
    body += events_[i].event.json();
    events_[i].request = request;
  }
  auto outcomes = parse_events(body + "]", BodyKind::kBatch);
  if (!outcomes) throw Violation{"a good body was refused: " + outcomes.error().detail};
  machine.running().acceptor->accept(
      std::move(*outcomes), [this, request, chosen](const Result<ingest::Receipt>& receipt) {
        requests_.erase(request);
        if (!receipt) return;
        if (!receipt->rejected.empty()) {
          throw Violation{"a good event was refused: " + receipt->rejected[0].error.detail};
        }
        for (const auto i : chosen) {
          events_[i].acknowledged = true;
          events_[i].position.include(receipt->position);
        }
        figures_.acknowledged += chosen.size();
      });
}

void World::new_command() {
  Command command;
  command.record.command_id = "c" + std::to_string(commands_.size());
  const auto what = dice_.below(10);
  if (what < 5) {
    SignUp sign_up;
    sign_up.username = (dice_.chance(50) ? "Name" : "name") + std::to_string(dice_.below(8));
    sign_up.email = (dice_.chance(50) ? "A" : "a") + std::to_string(dice_.below(8)) + "@x.org";
    command.record.change = sign_up;
  } else if (what < 8) {
    command.record.change = DemandErase{UserId("user " + std::to_string(dice_.below(users_)))};
  } else {
    Item item;
    item.id = ItemId("movie:" + std::to_string(1 + dice_.below(6)));
    item.kind = "movie";
    item.title = "Title " + command.record.command_id;
    command.record.change = item;
  }
  commands_.push_back(std::move(command));
}

void World::send_command(Machine& machine) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    if (may_send(commands_[i])) open.push_back(i);
  }
  if (!commands_.empty() && dice_.chance(10)) open.push_back(dice_.below(commands_.size()));
  if (open.empty()) return;
  const auto chosen = dice_.pick(open);
  const auto request = begin_request(machine);
  commands_[chosen].request = request;
  machine.running().log.append({{kCatalogPartition, {}, encode(commands_[chosen].record)}},
                               [this, request, chosen](const ingest::AppendResult& offsets) {
                                 requests_.erase(request);
                                 if (offsets) commands_[chosen].acknowledged = true;
                               });
}

// As a node does at its start when its configuration differs from what is in force.
void World::propose_ruleset(Machine& machine) {
  Ruleset ruleset;
  ruleset.types = InteractionTable().names();
  ruleset.rule_version = static_cast<std::uint32_t>(1 + dice_.below(5));
  ruleset.sequence_window = static_cast<std::uint32_t>(2 + dice_.below(20));
  if (narrow_) {
    ruleset.dedupe_ids = 5 + dice_.below(60);
    ruleset.dedupe_ms = static_cast<std::int64_t>(5'000 + dice_.below(300'000));
    ruleset.history_retention_ms = static_cast<std::int64_t>(dice_.below(2) * 60'000);
    if (dice_.chance(20)) ruleset.types.erase(ruleset.types.begin());
  }
  const auto partition = static_cast<std::uint16_t>(dice_.below(topics_.partitions()));
  machine.running().log.append(
      {{{Topic::kInteractions, partition}, {}, encode(LogRecord{ruleset})}},
      [](const ingest::AppendResult&) {});
}

void World::publish_event() {
  PublicTopic::Record record;
  record.time = clock_.now();
  const auto partition = dice_.below(public_.records().size());
  const auto kind = dice_.below(10);
  if (kind == 0) {
    record.value = dice_.chance(50) ? "{" : R"({"specversion":"1.0","type":"view"})";
    record.poison = true;
    public_.produce(partition, std::move(record));
    return;
  }
  // The same event as one that came by HTTP or from here, sent again by its producer.
  OracleEvent event = new_event();
  if (kind < 3 && !events_.empty()) event = dice_.pick(events_).event;
  if (kind == 3 && !published_.empty()) {
    event =
        std::next(published_.begin(), static_cast<std::ptrdiff_t>(dice_.below(published_.size())))
            ->second;
  }
  if (kind == 4) {
    record.headers = {{"ce_specversion", "1.0"},
                      {"ce_id", event.id},
                      {"ce_source", "oracle"},
                      {"ce_type", event.type},
                      {"content-type", "application/json"}};
    record.value = R"({"user":")" + event.user + R"(","item":")" + event.item + R"(","value":)" +
                   std::to_string(event.value) + "}";
    if (event.type != "rate") {
      record.value = R"({"user":")" + event.user + R"(","item":")" + event.item + "\"}";
    }
  } else {
    record.value = event.json();
  }
  if (kind == 5) {  // without an id: its place is its id
    const auto at = record.value.find(R"("id":)");
    record.value.erase(at, record.value.find(',', at) + 1 - at);
    event.id.clear();
  }
  const auto place = public_.produce(partition, std::move(record));
  published_[place] = event;
}

template bool World::may_send(const Sent&) const;
template bool World::may_send(const Command&) const;

}  // namespace millrace::simulation
