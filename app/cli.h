#pragma once

namespace millrace::app {

// The whole command line of `millrace`: parses, runs the verb, answers with the exit code
// (verbs.h). Answers go to stdout, everything else to stderr.
int run_cli(int argc, const char* const* argv);

}  // namespace millrace::app
