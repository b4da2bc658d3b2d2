// Cost of change + publish + commit on a synthetic stream (users Zipf 0.8, items Zipf 1.0, as
// millrace's other benchmarks), and of RocksDB alone putting the same pages in the same batches.
// usage: state_bench [EVENTS [EVENTS_PER_COMMIT [USERS [ITEMS]]]]
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "schemas/interaction_table.h"
#include "state/commit.h"
#include "state/partition_store.h"
#include "tests/support/temp_dir.h"

namespace {

using namespace millrace;
using namespace millrace::state;

struct Sizes {
  std::size_t events = 1'000'000;
  std::size_t per_commit = 20'000;
  std::size_t per_publish = 1'000;
  std::size_t users = 100'000;
  std::size_t items = 20'000;
};

struct Zipf {
  std::vector<double> sums;
  Zipf(std::size_t count, double s) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sums.push_back(sum += std::pow(static_cast<double>(i + 1), -s));
    }
  }
  std::size_t draw(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums.back())(random);
    return static_cast<std::size_t>(std::upper_bound(sums.begin(), sums.end(), at) - sums.begin());
  }
};

struct BenchEvent {
  std::string user, item, id;
  UnixMillis time = 0;
  std::uint32_t type = 0;
};

std::vector<BenchEvent> make_events(const Sizes& sizes) {
  std::vector<BuiltIn> types(70, BuiltIn::kView);
  const auto more = [&types](int n, BuiltIn type) {
    types.insert(types.end(), static_cast<std::size_t>(n), type);
  };
  more(10, BuiltIn::kPlay), more(5, BuiltIn::kComplete), more(8, BuiltIn::kLike);
  more(3, BuiltIn::kSave), more(2, BuiltIn::kShare), more(1, BuiltIn::kPurchase);
  more(1, BuiltIn::kSkip);
  std::mt19937_64 random(7);
  const Zipf users(sizes.users, 0.8), items(sizes.items, 1.0);
  std::vector<BenchEvent> events(sizes.events);
  UnixMillis time = 1'767'225'600'000;
  for (std::size_t k = 0; k < events.size(); ++k) {
    time += static_cast<UnixMillis>(random() % 5);
    events[k] = {"u" + std::to_string(users.draw(random)),
                 "video:" + std::to_string(items.draw(random)), "e" + std::to_string(k), time,
                 static_cast<std::uint32_t>(types[random() % types.size()])};
  }
  return events;
}

void apply(PartitionStore& store, const Ruleset& rules, Offset offset, const BenchEvent& event) {
  const Identity identity = identity_of(event.user, "bench", event.id);
  if (store.duplicates().find(identity, event.time)) return;
  store.duplicates().add(identity, {offset, event.time, Verdict::kApplied});
  const ItemNumber number = store.number_of(event.item);
  Person& person = store.change_person(event.user);
  ItemRow row = person.row(number);
  ItemStats& stats = store.change_item(number);
  contribute(stats, row, -1);
  ++person.events;
  add_count(person.counts, event.type, 1);
  add_count(row.counts, event.type, 1);
  row.last_time = event.time;
  if (event.type == static_cast<std::uint32_t>(BuiltIn::kLike)) row.flags |= kLiked;
  if (event.type == static_cast<std::uint32_t>(BuiltIn::kSave)) row.flags |= kSaved;
  const std::int64_t half_lives[] = {rules.short_half_life_ms, rules.long_half_life_ms};
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    row.trend[h].advance_to(trend_epoch(event.time, half_lives[h]));
    row.trend[h].newer += trend_increment(1, event.time, half_lives[h]);
  }
  if (row.order == 0) {
    row.order = person.next_order++;
    person.sequence.push_back(number);
    if (person.sequence.size() > rules.sequence_window) {
      person.sequence.erase(person.sequence.begin());
    }
  }
  contribute(stats, row, 1);
  person.put(row);
  InteractionView interaction;
  interaction.type_number = event.type;
  interaction.time = event.time;
  interaction.session = "s1";
  interaction.device = "mobile";
  store.append_history(person, offset, event.time, interaction, number);
}

struct Time {
  double wall = 0, cpu = 0;
};

Time now() {
  timespec cpu{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  return {
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
      static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9};
}

[[noreturn]] void die(const Error& error) {
  std::fprintf(stderr, "%s\n", error.detail.c_str());
  std::exit(1);
}
void check(const Status& status) {
  if (!status) die(status.error());
}

struct Run {
  Time change, publish, freeze, write;
  std::uint64_t rows = 0;
  std::size_t memory = 0;
  double total(double Time::*clock) const {
    return change.*clock + publish.*clock + freeze.*clock + write.*clock;
  }
};

// Adds the time since `from` and returns now.
Time spend(Time& on, const Time& from) {
  const Time until = now();
  on.wall += until.wall - from.wall;
  on.cpu += until.cpu - from.cpu;
  return until;
}

Run run(const Sizes& sizes, const std::vector<BenchEvent>& events, const RocksShared& shared,
        const std::string& directory, std::ofstream* record) {
  Metrics metrics;
  NameTable names;
  CatalogNames catalog;
  PartitionStore::Options options;
  options.directory = directory;
  options.cache_bytes = 256u << 20;
  auto opened = PartitionStore::open(options, shared, names, catalog, metrics);
  if (!opened) die(opened.error());
  PartitionStore& store = **opened;
  Run out;
  store.db().on_write([&](std::string_view batch) -> Status {
    out.rows += WriteBatch(batch).count();
    if (record == nullptr) return {};
    const std::uint64_t size = batch.size();
    record->write(reinterpret_cast<const char*>(&size), sizeof size);
    record->write(batch.data(), static_cast<std::streamsize>(size));
    return {};
  });
  if (record == nullptr) store.db().on_write({});
  const Ruleset rules;
  std::vector<Expected> people;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t end = std::min(at + sizes.per_publish, events.size());
    Time t = now();
    people.clear();
    for (std::size_t i = at; i < end; ++i) people.push_back({events[i].user, {}});
    check(store.prefetch(people));
    for (std::size_t i = at; i < end; ++i) apply(store, rules, static_cast<Offset>(i), events[i]);
    store.applied().next_offset = static_cast<Offset>(end);
    store.applied().log_time = events[end - 1].time;
    t = spend(out.change, t);
    store.publish();
    t = spend(out.publish, t);
    if (end % sizes.per_commit == 0 || end == events.size()) {
      auto commit = store.freeze();
      t = spend(out.freeze, t);
      check(store.write(*commit));
      spend(out.write, t);
    }
    at = end;
  }
  out.memory = sum_of(store.memory_parts());
  return out;
}

Time replay(const std::string& batches, const RocksShared& shared, const std::string& directory) {
  auto db = Db::open(directory, shared);
  if (!db) die(db.error());
  std::ifstream in(batches, std::ios::binary);
  Time spent;
  std::uint64_t size = 0;
  std::string bytes;
  while (in.read(reinterpret_cast<char*>(&size), sizeof size)) {
    bytes.resize(size);
    in.read(bytes.data(), static_cast<std::streamsize>(size));
    WriteBatch batch{std::string_view(bytes)};
    const Time t = now();
    check((*db)->write(batch));
    spend(spent, t);
  }
  return spent;
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  std::size_t* const knobs[] = {&sizes.events, &sizes.per_commit, &sizes.users, &sizes.items};
  for (int i = 1; i < argc && i <= 4; ++i) *knobs[i - 1] = std::strtoull(argv[i], nullptr, 10);
  sizes.per_publish = std::min(sizes.per_publish, sizes.per_commit);
  const auto events = make_events(sizes);
  const auto n = static_cast<double>(sizes.events);
  const TempDir home;
  const RocksShared shared({});
  const std::string batches = home.path() / "batches";
  std::uint64_t rows = 0;
  {
    std::ofstream record(batches, std::ios::binary);
    rows = run(sizes, events, shared, home.path() / "recorded", &record).rows;
  }
  const auto bytes = static_cast<double>(std::filesystem::file_size(batches));
  std::filesystem::remove_all(home.path() / "recorded");
  const Time alone = replay(batches, shared, home.path() / "replayed");
  std::filesystem::remove_all(home.path() / "replayed");
  const Run ours = run(sizes, events, shared, home.path() / "ours", nullptr);
  const double cpu = ours.total(&Time::cpu), wall = ours.total(&Time::wall);
  std::printf("events %zu, %zu per commit, %zu per publish, %zu users, %zu items\n", sizes.events,
              sizes.per_commit, sizes.per_publish, sizes.users, sizes.items);
  std::printf("rows per event        %8.3f\n", static_cast<double>(rows) / n);
  std::printf("bytes per event       %8.0f\n", bytes / n);
  const auto line = [n](const char* what, const Time& time) {
    std::printf("%-20s %9.0f events/s wall %9.0f events/s cpu  %6.3f us/event cpu\n", what,
                n / time.wall, n / time.cpu, time.cpu * 1e6 / n);
  };
  line("change", ours.change);
  line("publish", ours.publish);
  line("freeze", ours.freeze);
  line("write", ours.write);
  line("all of it", {wall, cpu});
  line("rocksdb alone", alone);
  std::printf("ratio to rocksdb alone   %5.2f cpu %5.2f wall\n", alone.cpu / cpu,
              alone.wall / wall);
  std::printf("memory of the store      %5.0f MiB\n", static_cast<double>(ours.memory) / (1 << 20));
  return 0;
}
