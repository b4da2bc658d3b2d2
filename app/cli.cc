#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "app/verbs.h"

namespace millrace::app {
namespace {

struct Verb {
  std::string name;
  std::string help;
  std::function<Action(CLI::App&)> define;
};

// THE list of verbs: a new one is a row here, a declaration in verbs.h, and its own file.
std::vector<Verb> verbs() {
  return {
      {"evaluate", "measure how good recommendations would have been", define_evaluate},
      {"import", "bring in a data set", define_import},
      {"serve", "answer over HTTP", define_serve},
      {"seed", "put in movies, test users, and what they rated and watched", define_seed},
      {"admin", "make an administrator; make, rotate, revoke and list services' keys",
       define_admin},
      {"verify", "rebuild the state from the log and compare", define_verify},
      {"backup", "copy state and log of a server into a folder", define_backup},
      {"restore", "make a data folder from a backup", define_restore},
      {"simulate", "send what a made-up audience does", define_simulate},
      {"dead-letters", "list or replay records that could not be applied", define_dead_letters},
      {"version", "print version, commit and libraries", define_version},
  };
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  CLI::App app{"Millrace: events in, feeds and recommendations out.", "millrace"};
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed, 2 bad usage. `millrace VERB --help` explains a verb.");
  Action chosen;
  for (const auto& verb : verbs()) {
    auto* subcommand = app.add_subcommand(verb.name, verb.help);
    subcommand->final_callback([&chosen, action = verb.define(*subcommand)] { chosen = action; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return chosen();
}

}  // namespace millrace::app
