#include "app/cli.h"

#include <gtest/gtest.h>

#include <vector>

#include "app/verbs.h"

namespace millrace::app {
namespace {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "millrace");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_cli(static_cast<int>(arguments.size()), arguments.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Cli, VersionIsAnAnswerOnStdout) {
  const auto human = run({"version"});
  EXPECT_EQ(human.code, kOk);
  EXPECT_EQ(human.out.rfind("millrace ", 0), 0U);
  EXPECT_EQ(human.err, "");
  const auto json = run({"version", "--format", "json"});
  EXPECT_EQ(json.out.rfind("{\"version\": \"", 0), 0U);
  EXPECT_NE(json.out.find("\"rocksdb\": \""), std::string::npos);
}

TEST(Cli, BadUsageGoesToStderr) {
  for (const auto& arguments :
       {std::vector<const char*>{}, {"fly"}, {"version", "--format", "x"}}) {
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, kUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err, "");
  }
}

TEST(Cli, HelpNamesTheVerbs) {
  const auto outcome = run({"--help"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_NE(outcome.out.find("version"), std::string::npos);
}

}  // namespace
}  // namespace millrace::app
