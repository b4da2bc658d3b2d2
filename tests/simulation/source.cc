#include "tests/simulation/source.h"

#include "ingest/settle.h"

namespace millrace::simulation {

// A batch in a member's hands.
class Fetched final : public ingest::SourceBatch {
 public:
  Fetched(PublicTopic& topic, const PublicTopic::Holding& holding)
      : topic_(topic), holding_(holding) {}

  std::size_t size() const override { return holding_.count; }
  Result<std::vector<EventOutcome>> events(std::size_t record) const override {
    return ingest::events_of(topic_.view(place(record)), "simulated");
  }
  void bury(std::size_t record, const Error&) override { buried_.insert(place(record)); }
  Status flush() override {
    if (!topic_.well_ && topic_.dice_.chance(15)) {
      return fail(Code::kUnavailable, "dead letters cannot be written now");
    }
    topic_.dead_letters_.merge(buried_);
    return {};
  }
  void commit() override {
    auto& partition = topic_.partitions_[holding_.partition];
    if (partition.generation != holding_.generation) return;
    partition.committed = partition.next = holding_.first + static_cast<Offset>(holding_.count);
  }
  bool pause() override { return topic_.well_ || topic_.dice_.chance(70); }

 private:
  PublicTopic::Place place(std::size_t record) const {
    return {static_cast<std::int32_t>(holding_.partition),
            holding_.first + static_cast<Offset>(record)};
  }

  PublicTopic& topic_;
  const PublicTopic::Holding holding_;
  std::set<PublicTopic::Place> buried_;
};

PublicTopic::PublicTopic(Dice& dice, std::size_t partitions)
    : dice_(dice), records_(partitions), partitions_(partitions) {}

PublicTopic::Place PublicTopic::produce(std::size_t partition, Record record) {
  auto& records = records_[partition];
  records.push_back(std::move(record));
  return {static_cast<std::int32_t>(partition), static_cast<Offset>(records.size()) - 1};
}

void PublicTopic::assign(std::size_t partition, int member) {
  auto& of = partitions_[partition];
  of.owner = member;
  ++of.generation;
  of.next = of.committed;
}

void PublicTopic::leave(int member) {
  holding_.erase(member);
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    if (partitions_[p].owner == member) assign(p, -1);
  }
}

void PublicTopic::fetch(int member) {
  if (holding_.contains(member)) return;
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    const auto& of = partitions_[p];
    const auto waiting = records_[p].size() - static_cast<std::size_t>(of.next);
    if (of.owner != member || waiting == 0) continue;
    holding_[member] = {p, of.generation, of.next, 1 + dice_.below(waiting)};
    return;
  }
}

void PublicTopic::settle(int member, const ingest::Acceptor& acceptor) {
  const auto held = holding_.find(member);
  if (held == holding_.end()) return;
  Fetched batch(*this, held->second);
  ingest::settle(batch, acceptor);
  holding_.erase(member);
}

bool PublicTopic::drained() const {
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    if (partitions_[p].committed < static_cast<Offset>(records_[p].size())) return false;
  }
  return true;
}

ingest::SourceRecord PublicTopic::view(Place place) const {
  const auto& record =
      records_[static_cast<std::size_t>(place.first)][static_cast<std::size_t>(place.second)];
  ingest::SourceRecord view;
  view.topic = "events";
  view.partition = place.first;
  view.offset = place.second;
  view.time = record.time;
  for (const auto& [name, value] : record.headers) view.headers.emplace_back(name, value);
  view.value = record.value;
  return view;
}

}  // namespace millrace::simulation
