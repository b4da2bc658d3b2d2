#include "tests/simulation/cluster.h"

#include <algorithm>

namespace millrace::simulation {

Topics::Topics(const Clock& clock, std::uint16_t partitions)
    : log_time([&clock] { return clock.now(); }), partitions_(partitions) {
  for (const auto& name : names()) topics_[name];
}

std::vector<LogPartition> Topics::names() const {
  std::vector<LogPartition> names{kCatalogPartition};
  for (std::uint16_t p = 0; p < partitions_; ++p) names.push_back({Topic::kInteractions, p});
  return names;
}

const std::vector<ingest::StoredRecord>& Topics::all(LogPartition partition) const {
  return topics_.at(partition).records;
}

Offset Topics::end(LogPartition partition) const {
  return static_cast<Offset>(topics_.at(partition).records.size());
}

Offset Topics::land(const ingest::Append& append) {
  const auto offset = end(append.partition);
  topics_.at(append.partition).records.push_back({offset, log_time(), append.bytes});
  return offset;
}

ClusterLog::ClusterLog(Topics& topics, Dice& dice, std::function<void()> writing)
    : topics_(topics), dice_(dice), writing_(std::move(writing)) {
  deliver_all();  // who joins asks where the logs end
}

void ClusterLog::append(std::vector<ingest::Append> records,
                        std::function<void(ingest::AppendResult)> done) {
  InFlight request;
  request.offsets.resize(records.size());
  request.done = std::move(done);
  for (std::size_t i = 0; i < records.size(); ++i) {
    request.left.emplace_back(i, std::move(records[i]));
  }
  if (waiting_ == 0 && !well_) return on_the_way_.push_back(std::move(request));
  // What was on its way from here arrives before it.
  while (!on_the_way_.empty()) land();
  const auto fate = well_ ? 99 : dice_.below(100);
  if (fate < 8) return request.done(fail(Code::kUnavailable, "the log cannot write now"));
  if (fate < 20) {
    land_some(request, dice_.below(request.left.size() + 1));
    const auto unknown = std::move(request.done);
    again_.push_back(std::move(request));
    return unknown(fail(Code::kUnavailable, "outcome unknown"));
  }
  land_some(request, request.left.size());
  request.done(std::move(request.offsets));
}

void ClusterLog::land_some(InFlight& request, std::size_t count) {
  for (; count > 0 && !request.left.empty(); --count) {
    writing_();
    const auto& [place, append] = request.left.front();
    request.offsets[place] = topics_.land(append);
    request.left.pop_front();
    writing_();
  }
}

void ClusterLog::land() {
  if (!again_.empty() && dice_.chance(30)) {
    land_left_behind(topics_, again_, 1 + dice_.below(3));
    return;
  }
  if (on_the_way_.empty()) return;
  auto& request = on_the_way_.front();
  // Sent twice: the first copy was written, but its answer did not come through in time.
  if (!well_ && dice_.chance(6)) again_.push_back({0, request.left, request.offsets, {}});
  land_some(request, 1 + dice_.below(request.left.size() + 1));
  if (!request.left.empty()) return;
  landed_.push_back(std::move(request));
  on_the_way_.pop_front();
}

void ClusterLog::answer() {
  if (landed_.empty()) return;
  const auto which = static_cast<std::ptrdiff_t>(dice_.below(landed_.size()));
  auto request = std::move(landed_[static_cast<std::size_t>(which)]);
  landed_.erase(landed_.begin() + which);
  if (!well_ && dice_.chance(8)) return request.done(fail(Code::kUnavailable, "outcome unknown"));
  request.done(std::move(request.offsets));
}

void ClusterLog::deliver() {
  for (auto& [partition, delivered] : delivered_) {
    const auto behind = static_cast<std::uint64_t>(topics_.end(partition) - delivered);
    if (behind > 0) delivered += static_cast<Offset>(dice_.below(behind + 1));
  }
}

void ClusterLog::deliver_all() {
  for (const auto& name : topics_.names()) delivered_[name] = topics_.end(name);
}

void ClusterLog::settle() {
  while (!on_the_way_.empty()) land();
  while (!landed_.empty()) answer();
  while (land_left_behind(topics_, again_, 1)) continue;
  deliver_all();
}

std::deque<InFlight> ClusterLog::left_behind() {
  auto left = std::move(again_);
  for (auto& request : on_the_way_) left.push_back(std::move(request));
  on_the_way_.clear();
  landed_.clear();
  return left;
}

Result<std::vector<ingest::StoredRecord>> ClusterLog::read(LogPartition partition, Offset from,
                                                           std::size_t max_records,
                                                           std::size_t max_bytes) const {
  if (from < start(partition)) return fail(Code::kNotFound, "no longer in the log");
  const auto& all = topics_.all(partition);
  std::vector<ingest::StoredRecord> out;
  std::size_t bytes = 0;
  for (Offset at = from; at < end(partition) && out.size() < max_records; ++at) {
    const auto& record = all[static_cast<std::size_t>(at)];
    bytes += record.bytes.size();
    if (!out.empty() && bytes > max_bytes) break;
    out.push_back(record);
  }
  return out;
}

bool land_left_behind(Topics& topics, std::deque<InFlight>& left, std::size_t count) {
  for (; count > 0 && !left.empty(); --count) {
    auto& request = left.front();
    if (!request.left.empty()) {
      topics.land(request.left.front().second);
      request.left.pop_front();
    }
    if (request.left.empty()) left.pop_front();
  }
  return !left.empty();
}

}  // namespace millrace::simulation
