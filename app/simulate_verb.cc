#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "app/import_run.h"
#include "app/interrupt.h"
#include "app/open_target.h"
#include "app/progress.h"
#include "app/simulation.h"
#include "app/verbs.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct SimulateFlags {
  SimulationOptions options;
  TargetFlags target;
  std::size_t connections = 4;
  bool existing = false;
  bool catalogue_only = false;
};

void print_json(const LoadOutcome& load, std::uint64_t items) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("items", items);
  out.member("sent", load.sent);
  out.member("accepted", load.accepted);
  out.member("duplicates", load.duplicates);
  out.member("rejected", load.rejected);
  out.member("failed", load.failed);
  out.member("seconds", load.seconds);
  out.member("events_per_second",
             load.seconds > 0 ? static_cast<double>(load.sent) / load.seconds : 0.0);
  out.key("latency_ms");
  out.begin_object();
  for (const auto& [name, share] :
       {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}}) {
    out.member(name, load.latency_ms(share));
  }
  out.end_object();
  out.end_object();
  std::cout << text << std::endl;
}

void print_text(const LoadOutcome& load, std::uint64_t items) {
  std::cout << items << " items";
  if (load.sent > 0) {
    std::cout << "; " << load.sent << " events sent in " << static_cast<long>(load.seconds)
              << " s (" << static_cast<long>(static_cast<double>(load.sent) / load.seconds)
              << "/s), " << load.accepted << " accepted, " << load.duplicates << " duplicates, "
              << load.rejected << " rejected, " << load.failed
              << " failed\nlatency of requests, from when they were due: p50 "
              << load.latency_ms(0.5) << " ms, p90 " << load.latency_ms(0.9) << " ms, p99 "
              << load.latency_ms(0.99) << " ms, p99.9 " << load.latency_ms(0.999) << " ms, max "
              << load.latency_ms(1) << " ms";
  }
  std::cout << std::endl;
}

class SimulateVerb {
 public:
  explicit SimulateVerb(const SimulateFlags& flags)
      : flags_(&flags), progress_(std::cerr, stderr_is_terminal()) {}

  int run() {
    const auto load = simulate();
    progress_.finish();
    if (!load.has_value()) {
      std::cerr << "millrace simulate: " << load.error().detail << "\n";
      return load.error().field == "url" ? kUsage : kFailed;
    }
    if (flags_->target.client->json) {
      print_json(*load, items_);
    } else {
      print_text(*load, items_);
    }
    if (load->failed > 0) std::cerr << "millrace simulate: " << load->failure << "\n";
    return load->failed + load->rejected > 0 ? kFailed : kOk;
  }

 private:
  Result<LoadOutcome> simulate() {
    MILLRACE_TRY(auto target, open_target(flags_->target, {}));
    MILLRACE_TRY(auto items, flags_->existing ? fetch_items(*target, flags_->options.items)
                                              : put_items(*target));
    items_ = items.size();
    if (flags_->catalogue_only || interrupt_.requested()) return LoadOutcome{};
    return send_events(std::move(items));
  }

  Result<std::vector<AudienceItem>> put_items(Target& target) {
    const auto& options = flags_->options;
    ImportOptions import;
    import.batch_rows = 1000;
    import.stop = [this] { return interrupt_.requested(); };
    import.on_progress = [this](const ImportProgress& now) {
      progress_.update(now.part, now.share, now.rows);
    };
    import.on_failure = [this](const RowFailure& failure) { progress_.say(failure.text()); };
    MILLRACE_TRY(const auto outcome, run_import(target,
                                                {synthetic_products(options.seed, options.products),
                                                 synthetic_items(options.seed, options.items)},
                                                import));
    if (outcome.totals.rejected > 0) return fail(Code::kInternal, "the target refuses our items");
    return audience_items(options.seed, options.items);
  }

  Result<LoadOutcome> send_events(std::vector<AudienceItem> items) {
    const auto& options = flags_->options;
    std::vector<std::unique_ptr<Target>> connections;
    RetryPolicy once;  // what fails is part of the measurement
    once.give_up_after = std::chrono::milliseconds(0);
    for (std::size_t i = 0; i < flags_->connections; ++i) {
      MILLRACE_TRY(auto connection, open_target(flags_->target, once));
      connections.push_back(std::move(connection));
    }
    Audience audience(options.seed, options.users, std::move(items));
    const SystemClock clock;
    TicketWriter writer(
        options, audience, [&clock] { return clock.now(); },
        [this] { return interrupt_.requested(); });
    const double total =
        options.events > 0 ? static_cast<double>(options.events) : options.rate * options.seconds;
    return run_load(
        connections, [&writer] { return writer.next(); },
        [this, total](std::uint64_t sent) {
          progress_.update("events", total > 0 ? static_cast<double>(sent) / total : 0, sent);
        });
  }

  Interrupt interrupt_;  // before anything that starts threads
  const SimulateFlags* flags_;
  ProgressLine progress_;
  std::size_t items_ = 0;
};

void add_simulation_flags(CLI::App& verb, const std::shared_ptr<SimulateFlags>& flags) {
  SimulationOptions& options = flags->options;
  verb.add_option("--users", options.users, "people in the audience")
      ->check(CLI::Range(1, 50'000'000))
      ->capture_default_str();
  verb.add_option("--items", options.items, "items in the catalogue")
      ->check(CLI::Range(1, 50'000'000))
      ->capture_default_str();
  verb.add_option("--products", options.products, "products beside them, which no events are of")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  verb.add_option("--seed", options.seed, "the same seed gives the same items and events")
      ->capture_default_str();
  verb.add_option("--rate", options.rate, "events a second; 0: as fast as they are taken")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  verb.add_option("--duration", options.seconds, "seconds; 0: until it is interrupted")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  verb.add_option("--events", options.events, "at most so many events; 0: no limit")
      ->capture_default_str();
  verb.add_option("--backfill", options.backfill_days,
                  "fill so many days until today with the events, busy evenings and all")
      ->check(CLI::Range(1, 3650))
      ->type_name("DAYS");
  verb.add_option("--batch", options.batch, "events in a request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  verb.add_option("--run", options.run,
                  "part of the events' ids; by default the time of the start");
}

// What the command line leaves open. Into the data of a stopped server nothing happens live: a week
// is filled in, as fast as it goes.
void fill_in(const CLI::App& verb, SimulateFlags& flags) {
  SimulationOptions& options = flags.options;
  const auto unless_given = [&verb](const char* option, auto& value, auto other) {
    if (verb.count(option) == 0) value = other;
  };
  if (!flags.target.local->data.empty()) unless_given("--backfill", options.backfill_days, 7U);
  if (options.backfill_days > 0) {
    unless_given("--rate", options.rate, 0.0);
    unless_given("--batch", options.batch, std::size_t{1000});
    unless_given("--connections", flags.connections, std::size_t{1});
    if (options.events == 0) options.events = 100'000;
  }
  if (options.run.empty()) options.run = std::to_string(SystemClock().now());
}

}  // namespace

Action define_simulate(CLI::App& verb) {
  auto flags = std::make_shared<SimulateFlags>();
  flags->target = add_target_flags(verb);
  add_simulation_flags(verb, flags);
  verb.add_option("--connections", flags->connections, "how many at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb.add_flag("--existing", flags->existing, "use the target's own items");
  verb.add_flag("--catalogue-only", flags->catalogue_only, "put the items, send no events");
  verb.footer(
      "With --data a week is backfilled. A backfill is --events 100000 --rate 0 --batch 1000 "
      "--connections 1, unless told otherwise.");
  return [flags, &verb] {
    fill_in(verb, *flags);
    return SimulateVerb(*flags).run();
  };
}

}  // namespace millrace::app
