#include "base/crash_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace millrace {
namespace {

// In a child of its own, because the environment is read once.
void pass(const char* chosen, int times) {
  ::setenv("MILLRACE_CRASH_AT", chosen, 1);
  for (int i = 0; i < times; ++i) crash_point("here");
  std::_Exit(crash_point_armed("here") ? 1 : 0);
}

class CrashPointDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(CrashPointDeathTest, KillsAtTheNthPassageOfItsName) {
  EXPECT_EXIT(pass("here", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(pass("here:3", 3), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(pass("here:3", 2), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(pass("elsewhere", 3), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace millrace
