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

// Signals that end the server, and SIGHUP where there are certificates to read again, are taken by
// one thread at one place.
sigset_t handled_signals(bool tls) {
  sigset_t set;
  sigemptyset(&set);
  if (tls) sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int serve(const ServeConfig& config) {
  ::signal(SIGPIPE, SIG_IGN);
  const bool tls = !config.http.tls_cert.empty();
  const auto handled = handled_signals(tls);
  ::pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  auto node = Node::start(config, Node::Http::kListen);
  if (!node) {
    log_error("cannot serve: " + node.error().detail);
    return node.error().field == "host" || node.error().field.starts_with("tls.") ? kUsage
                                                                                  : kFailed;
  }
  std::cout << (tls ? "ready on https://" : "ready on http://") << config.http.host << ":"
            << (*node)->port() << std::endl;
  int signal = 0;
  while (::sigwait(&handled, &signal) == 0 && signal == SIGHUP) {
    const auto reloaded = (*node)->reload_tls();
    if (reloaded) log_info("certificate and key are read again");
    if (!reloaded) log_error("the old certificate holds: " + reloaded.error().detail);
  }
  log_info(std::string("stopping on ") + (signal == SIGTERM ? "SIGTERM" : "SIGINT") +
           "; a second signal ends at once, and loses nothing");
  ::pthread_sigmask(SIG_UNBLOCK, &handled, nullptr);
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
