#pragma once

namespace millrace {

// With MILLRACE_LOG=kafka in the environment, every millrace that a test starts takes its log from
// the shared broker, with topics of the test's own: this says so to those that follow. Otherwise it
// does nothing. Throws std::runtime_error when there is no Kafka.
void choose_log();

}  // namespace millrace
