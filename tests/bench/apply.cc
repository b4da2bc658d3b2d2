// Replay of a log of synthetic interactions through the whole engine (facts, lists, co-occurrence,
// commits), and RocksDB alone putting the same pages in the same batches. Usage: apply [EVENTS]
//
// The events are those of peers/events.py in MILLRACE_SHARED (by default ../shared beside the
// checkout), made once into build/bench and put into a log in memory before the clock starts.
// Ratios are of CPU time of the process, all threads: other work on the machine does not count.
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/acceptor.h"
#include "ingest/memory_log.h"
#include "processors/engine.h"
#include "schemas/catalog_record.h"
#include "schemas/event_json.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "state/rocks.h"
#include "tests/support/temp_dir.h"

namespace {

using namespace millrace;

constexpr std::uint16_t kPartitions = 4;
constexpr std::size_t kItems = 20'000;  // of events.py
constexpr std::size_t kPerAppend = 1000;
constexpr int kRounds = 2;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "apply: %s\n", why.c_str());
  std::exit(1);
}
void check(const Status& status) {
  if (!status) die(status.error().detail);
}

struct Time {
  double wall = 0, cpu = 0;
};

Time now() {
  timespec cpu{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  return {
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
      static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9};
}

Time since(const Time& from) {
  const Time until = now();
  return {until.wall - from.wall, until.cpu - from.cpu};
}

// Threads started from here on run on so many cores.
void use_cores(int count) {
  static const cpu_set_t all = [] {
    cpu_set_t set;
    ::sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  cpu_set_t some;
  CPU_ZERO(&some);
  for (int core = 0, taken = 0; core < CPU_SETSIZE && taken < count; ++core) {
    if (!CPU_ISSET(core, &all)) continue;
    CPU_SET(core, &some);
    ++taken;
  }
  ::sched_setaffinity(0, sizeof some, &some);
}

// The file of `user<TAB>event` lines; empty where events.py is not to be had.
std::string events_file(std::size_t count) {
  const char* shared = std::getenv("MILLRACE_SHARED");
  const std::filesystem::path root(MILLRACE_SOURCE_DIR);
  const auto script =
      (shared != nullptr ? std::filesystem::path(shared) : root.parent_path() / "shared") /
      "peers/events.py";
  if (!std::filesystem::exists(script)) {
    std::printf("no %s: MILLRACE_SHARED names the folder of peers\n", script.c_str());
    return {};
  }
  const auto folder = root / "build/bench";
  std::filesystem::create_directories(folder);
  const auto file = folder / ("events-" + std::to_string(count) + ".tsv");
  if (!std::filesystem::exists(file)) {
    const std::string part = file.string() + ".part";
    const std::string command = "python3 '" + script.string() + "' " + std::to_string(count) +
                                " > '" + part + "' && mv '" + part + "' '" + file.string() + "'";
    if (std::system(command.c_str()) != 0) die("could not run " + command);
  }
  return file;
}

void load_items(ingest::EventLog& log) {
  std::vector<ingest::Append> appends;
  for (std::size_t i = 0; i < kItems; ++i) {
    Item item;
    item.id = ItemId("video:" + std::to_string(i));
    item.kind = "video";
    item.title = "Video " + std::to_string(i);
    item.categories = {"cat" + std::to_string(i % 24)};
    item.tags = {"t" + std::to_string(i % 97), "t" + std::to_string(i % 31)};
    if (item.tags[0] == item.tags[1]) item.tags.pop_back();
    appends.push_back({kCatalogPartition, {}, encode(CatalogRecord{item.id.value, item})});
    if (appends.size() == kPerAppend || i + 1 == kItems) {
      if (!log.append_and_wait(std::exchange(appends, {}))) die("the catalog was not appended");
    }
  }
}

std::size_t load_events(ingest::EventLog& log, const std::string& file, const Clock& clock,
                        Metrics& metrics) {
  const ingest::Acceptor acceptor(
      log, std::make_shared<const InteractionTable>(),
      [](std::uint16_t, const state::Identity&) { return std::nullopt; }, clock, metrics, {});
  std::ifstream in(file);
  std::vector<ingest::Append> appends;
  std::size_t count = 0;
  const auto flush = [&] {
    if (!appends.empty() && !log.append_and_wait(std::exchange(appends, {}))) {
      die("the events were not appended");
    }
  };
  for (std::string line; std::getline(in, line); ++count) {
    auto parsed = parse_events(std::string_view(line).substr(line.find('\t') + 1), BodyKind::kJson);
    if (!parsed || parsed->size() != 1 || !parsed->front().event) die("no event: " + line);
    auto checked = acceptor.check(std::move(*parsed->front().event));
    if (!checked) die(checked.error().detail);
    const auto partition = partition_of(checked->event.user.value, kPartitions);
    appends.push_back(
        {{Topic::kInteractions, partition}, {}, encode(LogRecord{std::move(*checked)})});
    if (appends.size() == kPerAppend) flush();
  }
  flush();
  return count;
}

using Batches = std::vector<std::pair<std::uint16_t, std::string>>;

// Applies what `log` holds beyond the state `base`, on a copy of it, up to the last commit.
Time apply(ingest::EventLog& log, const std::string& base, int threads, Batches* record) {
  const TempDir home;
  const SystemClock clock;
  Metrics metrics;
  processors::EngineOptions options;
  options.directory = home.path() / "state";
  std::filesystem::copy(base, options.directory, std::filesystem::copy_options::recursive);
  options.apply_threads = threads;
  std::mutex mutex;
  if (record != nullptr) {
    options.on_batch = [&mutex, record](std::uint16_t partition, std::string_view batch) {
      const std::lock_guard lock(mutex);
      record->emplace_back(partition, batch);
    };
  }
  auto engine = processors::Engine::open(options, log, clock, metrics);
  if (!engine) die(engine.error().detail);
  const Time begin = now();
  check((*engine)->start([](std::uint64_t, std::uint64_t) {}));
  check((*engine)->commit_all());
  const Time spent = since(begin);
  (*engine)->stop();
  return spent;
}

Time put(const Batches& batches) {
  const TempDir home;
  const processors::EngineOptions defaults;
  const state::RocksShared shared(
      {.cache_bytes = defaults.memory_bytes / 8, .write_buffer_bytes = defaults.memory_bytes / 8});
  std::map<std::uint16_t, std::unique_ptr<state::Db>> dbs;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    auto db = state::Db::open(home.path() / std::to_string(p), shared);
    if (!db) die(db.error().detail);
    dbs[p] = std::move(*db);
  }
  std::vector<std::pair<std::uint16_t, state::WriteBatch>> ready;
  for (const auto& [partition, batch] : batches) {
    ready.emplace_back(partition, state::WriteBatch{std::string_view(batch)});
  }
  const Time begin = now();
  for (const auto& [partition, batch] : ready) check(dbs[partition]->write(batch));
  return since(begin);
}

void line(const char* what, double events, const Time& time) {
  std::printf("%-24s %9.0f events/s wall %9.0f events/s of CPU  %6.2f us of CPU an event\n", what,
              events / time.wall, events / time.cpu, time.cpu * 1e6 / events);
  std::fflush(stdout);
}

struct Pair {
  Time ours, rocks;
  double ratio() const { return rocks.cpu / ours.cpu; }
};

void measure(ingest::EventLog& log, const std::string& base, double events) {
  use_cores(1);
  Batches batches;
  apply(log, base, 1, &batches);
  std::size_t pages = 0, bytes = 0;
  for (const auto& [partition, batch] : batches) {
    pages += state::WriteBatch{std::string_view(batch)}.count();
    bytes += batch.size();
  }
  std::printf("%zu batches, %.3f pages written per event, %.0f bytes per event\n", batches.size(),
              static_cast<double>(pages) / events, static_cast<double>(bytes) / events);
  std::vector<Pair> pairs;
  for (int round = 0; round < kRounds; ++round) {
    pairs.push_back({apply(log, base, 1, nullptr), put(batches)});
    line("engine, one core", events, pairs.back().ours);
    line("RocksDB alone, one core", events, pairs.back().rocks);
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.ratio() < b.ratio(); });
  const double ratio = pairs[pairs.size() / 2].ratio();
  use_cores(2);
  line("engine, two cores", events, apply(log, base, 2, nullptr));
  std::printf("BAR\tapply / RocksDB alone\t>= 0.5\t%.2f\t%s\n", ratio,
              ratio >= 0.5 ? "met" : "MISSED");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto file = events_file(count);
  if (file.empty()) {
    std::printf("BAR\tapply / RocksDB alone\t>= 0.5\tnot measured: no events.py\t-\n");
    return 0;
  }
  const SystemClock clock;
  Metrics metrics;
  ingest::MemoryLog log(clock, kPartitions);
  load_items(log);
  // The catalog and the rules are in the state before the clock starts.
  const TempDir home;
  const std::string base = home.path() / "state";
  {
    processors::EngineOptions options;
    options.directory = base;
    auto engine = processors::Engine::open(options, log, clock, metrics);
    if (!engine) die(engine.error().detail);
    check((*engine)->start([](std::uint64_t, std::uint64_t) {}));
  }
  const auto events = load_events(log, file, clock, metrics);
  std::printf("%zu events, %zu items, %d partitions\n", events, kItems, int{kPartitions});
  measure(log, base, static_cast<double>(events));
}
