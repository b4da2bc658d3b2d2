#include "tests/simulation/node.h"

#include <stdexcept>

#include "state/checkpoint.h"

namespace millrace::simulation {
namespace {

constexpr std::size_t kViewBytes = 1u << 16;

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().detail);
}

}  // namespace

Incarnation::Incarnation(const Surroundings& around, std::function<void()> writing)
    : log(around.topics, around.dice, std::move(writing)),
      commits(metrics, processors::Drive::kCaller),
      publisher(
          around.topics.partitions(),
          [this](const std::vector<state::ItemIndex>& touched) { views->update_lists(touched); },
          metrics, processors::Drive::kCaller) {}

std::string Machine::folder(LogPartition partition) const {
  return "/" + std::to_string(number_) + "-" + std::to_string(disks_) + "-" +
         state::database_folder(partition);
}

void Machine::count_write() {
  if (writes_left_ > 0 && --writes_left_ == 0) throw Killed{};
}

Status Machine::watch(state::Db& db, LogPartition partition) {
  if (!disk_.contains(partition)) {
    auto& rows = disk_[partition].rows;
    MILLRACE_CHECK(db.scan({}, {}, [&rows](std::string_view key, std::string_view value) {
      rows.emplace_back(key, value);
      return true;
    }));
  }
  db.on_write([this, partition](std::string_view batch) -> Status {
    count_write();
    if (full_) return fail(Code::kIo, "no space left on device");
    disk_[partition].batches.emplace_back(batch);
    return {};
  });
  return {};
}

Result<std::unique_ptr<Incarnation>> Machine::make(const Surroundings& around) {
  auto made = std::make_unique<Incarnation>(around, [this] { count_write(); });
  MILLRACE_CHECK(open(*made));
  assemble(*made, around);
  for (const auto& runner : made->runners) MILLRACE_CHECK(runner->check_log());
  MILLRACE_CHECK(made->catalog_runner->check_log());
  return made;
}

Status Machine::would_start_with(Topics& topics) {
  return make({around_.clock, topics, around_.dice, around_.disks}).map([](const auto&) {});
}

Status Machine::start() {
  ++age_;
  MILLRACE_TRY(auto made, make(around_));
  MILLRACE_CHECK(made->views->rebuild());
  for (std::uint16_t p = 0; p < around_.topics.partitions(); ++p) {
    made->publisher.offer({Topic::kInteractions, p}, made->stores[p]->published().next_offset, {},
                          false);
  }
  made->publisher.offer(kCatalogPartition, made->catalog->next_offset(), {}, false);
  running_ = std::move(made);
  return {};
}

Status Machine::open(Incarnation& made) {
  MILLRACE_TRY(made.catalog,
               state::CatalogStore::open({.directory = folder(kCatalogPartition)}, around_.disks,
                                         made.items, made.names, made.metrics));
  MILLRACE_CHECK(watch(made.catalog->db(), kCatalogPartition));
  for (std::uint16_t p = 0; p < around_.topics.partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    state::PartitionStore::Options options;
    options.directory = folder(partition);
    options.partition = p;
    options.cache_bytes = 1;  // whoever is not being changed is read from RocksDB again
    MILLRACE_TRY(auto store, state::PartitionStore::open(options, around_.disks, made.items,
                                                         made.names, made.metrics));
    MILLRACE_CHECK(watch(store->db(), partition));
    made.stores.push_back(std::move(store));
  }
  return {};
}

void Machine::assemble(Incarnation& made, const Surroundings& around) {
  std::vector<const state::PartitionStore*> readable;
  for (const auto& store : made.stores) readable.push_back(store.get());
  made.views = std::make_unique<processors::LiveViews>(
      *made.catalog, readable, made.items, made.names, processors::RankingOptions{},
      processors::LiveViews::Budgets{kViewBytes, kViewBytes, kViewBytes, kViewBytes}, made.metrics);
  // Cut by the scheduler, or after some events: never by a clock that is not simulated.
  const processors::CommitLimits limits{INT32_MAX / 2, 20 + around.dice.below(200), 16u << 20};
  processors::CatalogRunner::Parts catalog{
      &made.log, made.catalog.get(), &made.publisher, {}, &made.metrics};
  for (std::uint16_t p = 0; p < around.topics.partitions(); ++p) {
    catalog.partitions.push_back(made.stores[p].get());
    const processors::RunnerParts parts{
        &made.log,       made.stores[p].get(), made.views.get(), &made.commits,
        &made.publisher, &around.clock,        &made.metrics,    [] {}};
    made.runners.push_back(
        std::make_unique<processors::PartitionRunner>(p, parts, limits, 1 + around.dice.below(40)));
  }
  made.catalog_runner = std::make_unique<processors::CatalogRunner>(std::move(catalog), 0);
  // Weights are the node's own configuration: they ride in the record.
  const InteractionTable table({{"view", number_ + 1}, {"share", 2 * age_ + 1}});
  made.acceptor = std::make_unique<ingest::Acceptor>(
      made.log, std::make_shared<const InteractionTable>(table),
      [&made](std::uint16_t partition, const state::Identity& identity) {
        return made.stores[partition]->first_seen(identity);
      },
      around.clock, made.metrics, ingest::Acceptor::Options{});
}

std::deque<InFlight> Machine::kill() {
  writes_left_ = 0;
  if (!running_) return {};
  auto left = running_->log.left_behind();
  running_.reset();
  return left;
}

void Machine::write_disk() {
  ++disks_;
  for (const auto& [partition, database] : disk_) {
    const auto db = state::Db::open(folder(partition), around_.disks).value();
    state::WriteBatch rows;
    for (const auto& [key, value] : database.rows) rows.put(key, value);
    must(db->write(rows));
    for (const auto& batch : database.batches) must(db->write(state::WriteBatch(batch)));
  }
}

std::deque<InFlight> Machine::cut_power() {
  auto left = kill();
  for (auto& [partition, database] : disk_) {
    auto& batches = database.batches;
    batches.resize(database.synced + around_.dice.below(batches.size() - database.synced + 1));
  }
  write_disk();
  return left;
}

std::deque<InFlight> Machine::wipe() {
  auto left = kill();
  disk_.clear();
  write_disk();
  return left;
}

void Machine::restore_from(Machine& donor) {
  for (auto& [partition, database] : donor.disk_) {
    database.synced = database.batches.size();
    database.synced_at = donor.committed(partition).first;
  }
  disk_ = donor.disk_;
  write_disk();
}

Offset Machine::synced(LogPartition partition) const {
  const auto found = disk_.find(partition);
  return found == disk_.end() ? 0 : found->second.synced_at;
}

bool Machine::commit_all() {
  for (const auto& runner : running_->runners) runner->commit_now();
  const auto commit = [this] { return running_->catalog->commit(); };
  auto written = commit();
  if (!written) written = running_->catalog->db().reopen().and_then(commit);
  if (!written) return false;
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (!running_->commits.step()) return false;
  }
  return true;
}

std::pair<Offset, state::Digest> Machine::committed(LogPartition partition) {
  if (partition == kCatalogPartition) {
    return {running_->catalog->next_offset(), running_->catalog->digest()};
  }
  return running_->stores[partition.index]->digest();
}

}  // namespace millrace::simulation
