#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "app/open_target.h"
#include "app/seed.h"
#include "app/verbs.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct SeedFlags {
  std::string what;
  TargetFlags target;
  SeedOptions options;
};

void print_json(const Seeded& seeded) {
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  out.member("movies", seeded.totals.items_created + seeded.totals.items_replaced);
  out.member("events", seeded.totals.events_accepted);
  out.member("duplicates", seeded.totals.duplicates);
  out.member("rejected", seeded.totals.rejected);
  out.key("users");
  out.begin_array();
  for (const auto& user : seeded.users) {
    out.begin_object();
    out.member("username", user.username);
    if (!user.password.empty()) out.member("password", user.password);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  std::cout << json << std::endl;
}

void print(const Seeded& seeded) {
  for (const auto& user : seeded.users) {
    std::cout << user.username << "  "
              << (user.password.empty() ? "(was there already)" : user.password) << "\n";
  }
  std::cout << seeded.totals.items_created + seeded.totals.items_replaced << " movies, "
            << seeded.totals.events_accepted << " ratings and watches, " << seeded.totals.duplicates
            << " of them known before" << std::endl;
}

int run(SeedFlags flags) {
  flags.options.as_admin = !flags.target.client->token.empty() || !flags.target.local->data.empty();
  ImportOptions import;
  import.on_failure = [](const RowFailure& failure) { std::cerr << failure.text() << "\n"; };
  const auto seeded = open_target(flags.target, {}).and_then([&](const auto& target) {
    return seed_movies(*target, flags.options, import);
  });
  if (!seeded) {
    std::cerr << "millrace seed: " << seeded.error().detail << "\n";
    return seeded.error().field == "url" ? kUsage : kFailed;
  }
  if (flags.target.client->json) {
    print_json(*seeded);
  } else {
    print(*seeded);
  }
  return seeded->totals.rejected == 0 ? kOk : kFailed;
}

}  // namespace

Action define_seed(CLI::App& verb) {
  auto flags = std::make_shared<SeedFlags>();
  verb.add_option("what", flags->what, "movies")->required()->check(CLI::IsMember({"movies"}));
  flags->target = add_target_flags(verb);
  verb.add_option(
      "--from", flags->options.from,
      "movies.csv of GroupLens' layout, or a folder with one; without it a hundred films");
  verb.add_option("--password", flags->options.password,
                  "of every test user; without one random ones are printed");
  verb.add_option("--users", flags->options.users, "test users")->check(CLI::Range(1, 1'000));
  verb.add_option("--deeds", flags->options.deeds, "ratings and watches of each user")
      ->check(CLI::Range(0, 10'000));
  verb.add_option("--random-seed", flags->options.random_seed, "of what they do");
  return [flags] { return run(*flags); };
}

}  // namespace millrace::app
