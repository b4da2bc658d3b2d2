#pragma once
#include <functional>

namespace CLI {
class App;
}  // namespace CLI

namespace millrace::app {

// Exit codes of every verb.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // stderr says why
inline constexpr int kUsage = 2;   // bad flags or configuration

// Does what the verb is for, and answers with the exit code. Called once, after parsing.
using Action = std::function<int()>;

// One function a verb: adds its options to the subcommand, answers what to do when it is called.
Action define_admin(CLI::App& verb);
Action define_evaluate(CLI::App& verb);
Action define_import(CLI::App& verb);
Action define_seed(CLI::App& verb);
Action define_serve(CLI::App& verb);
Action define_verify(CLI::App& verb);
Action define_backup(CLI::App& verb);
Action define_restore(CLI::App& verb);
Action define_simulate(CLI::App& verb);
Action define_dead_letters(CLI::App& verb);
Action define_version(CLI::App& verb);

}  // namespace millrace::app
