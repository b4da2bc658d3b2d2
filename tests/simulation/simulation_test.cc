// Seeded runs of Millrace's own parts over a simulated cluster, with everything that can go wrong:
// tests/simulation/README.md says what, and how to see a failed seed again.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/simulation/world.h"

namespace millrace::simulation {
namespace {

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Empty: all was well.
std::string failure_of(std::uint64_t seed, Figures& figures) {
  World world(seed);
  try {
    world.run();
    figures.add(world.figures());
    return {};
  } catch (const Violation& violation) {
    std::string text = "seed " + std::to_string(seed) + ": " + violation.what +
                       "\nagain: ./dev test simulation --seed " + std::to_string(seed) + '\n';
    for (const auto& line : world.trace()) text += "  " + line + '\n';
    if (std::getenv("MILLRACE_SEED") != nullptr) std::cout << world.log_text();
    return text;
  }
}

void run_seeds(std::uint64_t first, std::uint64_t count) {
  Figures figures;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const auto failure = failure_of(seed, figures);
    ASSERT_TRUE(failure.empty()) << failure;
  }
  ::testing::Test::RecordProperty("simulated", figures.text());
  std::cout << count << " seeds: " << figures.text() << '\n';
  // A simulation in which nothing happens proves nothing.
  if (count < 100) return;
  EXPECT_GT(figures.acknowledged, 10 * count);
  for (const auto happened : {figures.kills, figures.power_cuts, figures.disks, figures.restores,
                              figures.rereads, figures.refusals, figures.reads}) {
    EXPECT_GT(happened, count / 20);
  }
}

// MILLRACE_SEED: that one alone. MILLRACE_SEEDS: so many from it on, or from 1.
TEST(Simulation, SomeSeeds) {
  const auto seed = number_in("MILLRACE_SEED", 0);
  run_seeds(seed == 0 ? 1 : seed, number_in("MILLRACE_SEEDS", seed == 0 ? 200 : 1));
}

TEST(Simulation, TenThousandSeedsLong) { run_seeds(1'000'000, 10'000); }

TEST(Simulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    World one(seed), other(seed);
    one.run();
    other.run();
    EXPECT_EQ(one.figures().text(), other.figures().text());
    EXPECT_EQ(one.trace(), other.trace());
  }
}

}  // namespace
}  // namespace millrace::simulation
