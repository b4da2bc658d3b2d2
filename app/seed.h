#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/import_run.h"
#include "app/target.h"
#include "base/result.h"

namespace millrace::app {

struct SeedOptions {
  std::string from{};      // a movies.csv of GroupLens' layout, or a folder with one; empty: ours
  std::string password{};  // of every test user; empty: a random one each
  std::uint32_t users = 10;
  std::uint32_t deeds = 30;  // ratings and watches of each
  std::uint64_t random_seed = 1;
  bool as_admin = false;  // the target's own credential may send everybody's events
};

struct SeededUser {
  std::string username;
  std::string password;  // empty: the account was there already
};

struct Seeded {
  std::vector<SeededUser> users;
  ImportTotals totals;
};

// Movies, test users `viewer1`, `viewer2`, …, and what they rated and watched, all of it through
// the API. The same again changes nothing: movies have their ids, and what users do depends on
// `random_seed` alone. kConflict when a user is there already and nobody may act for them.
Result<Seeded> seed_movies(Target& target, const SeedOptions& options, const ImportOptions& import);

// app/seed_movies.csv as it was when this was built.
std::string_view seed_movies_csv();

}  // namespace millrace::app
