#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <thread>

#include "app/flags.h"
#include "app/node.h"
#include "app/verbs.h"
#include "base/log.h"

namespace millrace::app {
namespace {

// Signals that end the server are taken by one thread at one place.
sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int serve(const ServeConfig& config) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto ending = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  auto node = Node::start(config, Node::Http::kListen);
  if (!node) {
    log_error("cannot serve: " + node.error().detail);
    return node.error().field == "host" ? kUsage : kFailed;
  }
  std::cout << "ready on http://" << config.http.host << ":" << (*node)->port() << std::endl;
  int signal = 0;
  ::sigwait(&ending, &signal);
  log_info(std::string("stopping on ") + (signal == SIGTERM ? "SIGTERM" : "SIGINT") +
           "; a second signal ends at once, and loses nothing");
  ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  (*node)->stop();
  return kOk;
}

}  // namespace

Action define_serve(CLI::App& verb) {
  auto flags = add_serve_flags(verb);
  return [flags] {
    const auto resolved = load_config(*flags);
    if (!resolved) {
      std::cerr << "millrace: " << resolved.error().detail << "\n";
      return kUsage;
    }
    const auto& logging = resolved->config.logging;
    set_log(logging.level, logging.format == LogFormat::kJson);
    for (const auto& warning : resolved->warnings) log_warn(warning);
    if (flags->print_config) {
      std::cout << print_config(resolved->config) << std::flush;
      return kOk;
    }
    return serve(resolved->config);
  };
}

}  // namespace millrace::app
