#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/item_index.h"
#include "state/pages.h"
#include "state/profile.h"
#include "state/rocks.h"

namespace millrace::state {

struct LoadedPerson {
  std::shared_ptr<const Person> person;    // nullptr: no such person
  std::shared_ptr<const Profile> profile;  // nullptr: none stored, or not readable (it is a view)
};

// Reads people as committed: one round for heads, one for profiles and row pages. Rows read
// while a commit lands may be of two versions: the caller must know that none did.
Result<std::vector<LoadedPerson>> load_people(const Db& db, CatalogNames& names,
                                              std::span<const std::string_view> users);

// The row pages of `person`, whose refs are without.
Result<std::shared_ptr<Person>> load_rows(const Db& db, std::string_view user, Person person);

}  // namespace millrace::state
