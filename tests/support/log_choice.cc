#include "tests/support/log_choice.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <stdexcept>
#include <string>

#include "tests/support/kafka_broker.h"

namespace millrace {

void choose_log() {
  const char* const log = ::getenv("MILLRACE_LOG");
  if (log == nullptr || std::string(log) != "kafka") return;
  const auto missing = KafkaBroker::missing();
  if (!missing.empty()) throw std::runtime_error(missing);
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto prefix = std::string(test->test_suite_name()) + "." + test->name() + ".";
  ::setenv("MILLRACE_KAFKA_BOOTSTRAP", KafkaBroker::shared().bootstrap().c_str(), 1);
  ::setenv("MILLRACE_KAFKA_PREFIX", prefix.c_str(), 1);
}

}  // namespace millrace
