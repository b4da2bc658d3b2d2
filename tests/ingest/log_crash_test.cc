// kill -9 at each named place of the log's writing, on real files.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/metrics.h"
#include "ingest/embedded_log.h"
#include "tests/support/embedded_log_on.h"
#include "tests/support/temp_dir.h"

namespace millrace::ingest {
namespace {

constexpr const char* kDirectory = "MILLRACE_TEST_DIRECTORY";

EmbeddedLogOptions options(const std::string& directory, Metrics& metrics, const Clock& clock) {
  return {.directory = directory + "/log",
          .interaction_partitions = 2,
          .segment_bytes = 2u << 10,
          .metrics = &metrics,
          .clock = &clock};
}

// Appends until it is killed at `place`, writing each acknowledged number to a file first.
void append_until_killed(const std::string& directory, const std::string& place) {
  ::setenv("MILLRACE_CRASH_AT", place.c_str(), 1);
  Metrics metrics;
  const SystemClock clock;
  const auto log = EmbeddedLog::open(options(directory, metrics, clock)).value();
  std::ofstream acknowledged(directory + "/acknowledged");
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i) + " " + std::string(200, '.');
    if (!log->append_and_wait({{kInteractions0, "u", text}, {kInteractions1, "u", text}})) break;
    acknowledged << i << std::endl;
  }
  std::_Exit(0);
}

class LogCrashDeathTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_P(LogCrashDeathTest, KeepsWhatWasAcknowledged) {
  // A threadsafe death test runs this function again in the child, which must find the same place.
  std::optional<TempDir> own;
  if (std::getenv(kDirectory) == nullptr) {
    ::setenv(kDirectory, own.emplace().path().c_str(), 1);
  }
  const std::string directory = std::getenv(kDirectory);
  EXPECT_EXIT(append_until_killed(directory, std::string(GetParam()) + ":4"),
              testing::KilledBySignal(SIGKILL), "");
  ::unsetenv(kDirectory);
  Metrics metrics;
  const SystemClock clock;
  const auto log = EmbeddedLog::open(options(directory, metrics, clock)).value();
  std::ifstream acknowledged(directory + "/acknowledged");
  int count = 0;
  for (int i = 0; acknowledged >> i;) ++count;
  EXPECT_GE(count, 3);
  const auto kept = texts(*log, kInteractions0);
  EXPECT_EQ(kept, texts(*log, kInteractions1));
  ASSERT_GE(kept.size(), static_cast<std::size_t>(count));
  EXPECT_LE(kept.size(), static_cast<std::size_t>(count) + 1);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(kept[i].starts_with(std::to_string(i) + " "));
  }
  EXPECT_EQ(log->append_and_wait({{kInteractions0, "u", "next"}})->front(),
            static_cast<Offset>(kept.size()));
}

INSTANTIATE_TEST_SUITE_P(Places, LogCrashDeathTest,
                         testing::Values("log_before_write", "log_half_group", "log_after_write",
                                         "log_after_sync", "log_roll_created", "log_roll_written",
                                         "log_roll_synced"),
                         [](const auto& place) { return std::string(place.param); });

}  // namespace
}  // namespace millrace::ingest
