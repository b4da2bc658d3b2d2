// CPU microseconds of keeping ranked lists and of one request to each ranker: rank_bench [ITEMS].
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "processors/rankers/collaborative.h"
#include "processors/rankers/list.h"
#include "tests/support/ranker_world.h"

namespace millrace {
namespace {

using processors::Query;

// This thread's CPU time: other work on the machine does not count.
double cpu_micros() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Bench {
  explicit Bench(std::uint32_t count) : items(count) {}

  std::uint32_t items;
  std::uint32_t users = 1000;
  RankerWorld world;
  std::mt19937 random{1};

  std::string any_item() {  // a few are popular, most are not
    const double u = std::generate_canonical<double, 32>(random);
    const auto n = static_cast<std::uint32_t>(u * u * u * items);
    return "movie:" + std::to_string(std::min(n, items - 1));
  }
  std::string any_user() { return "u" + std::to_string(random() % users); }

  void fill() {
    world.set_quiet(true);
    for (std::uint32_t i = 0; i < items; ++i) {
      std::vector<std::string> genres, tags;
      for (std::size_t n = random() % 4 + 1; n > 0; --n) {
        genres.push_back("genre" + std::to_string(random() % 20));
      }
      for (std::size_t n = random() % 6; n > 0; --n) {
        tags.push_back("tag" + std::to_string(random() % 1000));
      }
      world.put("movie:" + std::to_string(i), genres, tags);
    }
    for (int i = 0; i < 100'000; ++i) {
      world.now += 5000;
      const std::string user = any_user();
      switch (random() % 4) {
        case 0: world.like(user, any_item()); break;
        case 1: world.view(user, any_item(), BuiltIn::kProductView); break;
        default: world.rate(user, any_item(), double(random() % 9 + 2) / 2); break;
      }
    }
    const auto start = cpu_micros();
    world.rebuild();
    std::printf("lists: built for %u items in %.1f ms\n", items, (cpu_micros() - start) / 1000);
    for (std::uint32_t u = 0; u < users; ++u) {
      const std::string user = "u" + std::to_string(u);
      if (world.known(user).view.person) world.keep_profile(user);
    }
    world.set_quiet(false);
  }

  void updates(std::size_t batch) {
    world.set_quiet(true);
    double spent = 0;
    std::size_t touched = 0;
    while (touched < 2000) {
      std::vector<state::ItemIndex> changed;
      for (std::size_t i = 0; i < batch; ++i) {
        const std::string item = any_item();
        world.now += 1000;
        world.rate(any_user(), item, double(random() % 9 + 2) / 2);
        changed.push_back(world.index(item));
      }
      const auto start = cpu_micros();
      world.lists().update(changed, world.catalog(), [this](auto i) { return world.counts(i); });
      spent += (cpu_micros() - start);
      touched += batch;
    }
    std::printf("lists: %6.1f us per item touched by a rating, in batches of %zu\n",
                spent / double(touched), batch);
    world.set_quiet(false);
  }

  void cooccurrence() {
    processors::Cooccurrence table;
    std::vector<state::ItemIndex> window;
    constexpr int kAdds = 200'000;
    const auto start = cpu_micros();
    for (int i = 0; i < kAdds; ++i) {
      if (i % 100 == 0) window.clear();
      const state::ItemIndex item = world.index(any_item());
      if (std::find(window.begin(), window.end(), item) != window.end()) continue;
      table.add(item, window);
      window.push_back(item);
      if (window.size() > 50) window.erase(window.begin());
    }
    const double spent = (cpu_micros() - start);
    std::size_t halves = 0;
    for (state::ItemIndex i = 0; i < items; ++i) halves += table.row(i).size();
    std::printf(
        "co-occurrence: %.1f us per new item of a sequence; %.1f bytes per pair, %zu pairs\n",
        spent / kAdds, double(table.memory_bytes()) / (double(halves) / 2), halves / 2);
  }

  template <class F>
  void requests(const char* name, F&& rank) {
    std::vector<double> micros;
    Query query;
    query.now = world.now;
    for (int i = 0; i < 3000; ++i) {
      query.user = UserId(any_user());
      query.seed = static_cast<std::uint64_t>(i);
      const auto state = world.state(query.user.value);
      const auto start = cpu_micros();
      constexpr int kTimes = 4;
      for (int n = 0; n < kTimes; ++n) rank(query, state);
      micros.push_back((cpu_micros() - start) / kTimes);
    }
    std::sort(micros.begin(), micros.end());
    std::printf("%-15s p50 %7.1f us, p99 %7.1f us\n", name, micros[micros.size() / 2],
                micros[micros.size() * 99 / 100]);
  }
};

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;
  Bench bench(argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 10'000u);
  bench.fill();
  for (const std::size_t batch : {1u, 20u, 500u}) bench.updates(batch);
  std::printf("lists: %.1f MiB, builder %.1f MiB\n",
              double(bench.world.lists().snapshot()->memory_bytes()) / (1 << 20),
              double(bench.world.lists().memory_bytes()) / (1 << 20));
  bench.cooccurrence();
  for (const auto& ranker : processors::rankers()) {
    bench.requests(std::string(ranker.name).c_str(), ranker.rank);
  }
  bench.requests("similar", [&](const Query& query, const processors::ReadState& state) {
    return processors::rank_similar(query, state, ItemId("movie:" + std::to_string(query.seed)));
  });
}
