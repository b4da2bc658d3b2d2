#include "state/people_load.h"

#include <string>

#include "state/keys.h"
#include "state/page_codec.h"

namespace millrace::state {
namespace {

bool has_row_pages(const Person& person) { return person.pages.size() > 1; }

// Keys of the row pages of several people, and then their pages, in one order.
std::vector<std::string> row_keys(std::string_view user, const Person& person) {
  std::vector<std::string> keys;
  for (const RowPageRef& ref : person.pages) keys.push_back(keys::row_page(user, ref.number));
  return keys;
}

Status fill_rows(Person& person, std::span<const std::string> keys,
                 std::span<const std::optional<std::string>> values) {
  for (std::size_t i = 0; i < person.pages.size(); ++i) {
    if (!values[i]) return fail(Code::kCorrupt, "a person's row page is missing");
    MILLRACE_TRY(const auto page, decode_row_page(*values[i]));
    page->stored.value = row_digest(keys[i], *values[i]);
    person.pages[i].page = page;
  }
  return {};
}

}  // namespace

Result<std::vector<LoadedPerson>> load_people(const Db& db, CatalogNames& names,
                                              std::span<const std::string_view> users) {
  std::vector<std::string> heads;
  heads.reserve(users.size());
  for (const std::string_view user : users) heads.push_back(keys::person(user));
  MILLRACE_TRY(const auto rows, db.multi_get(heads));
  std::vector<std::shared_ptr<Person>> people(users.size());
  std::vector<std::string> more;  // of each person found: the profile, and row pages if any
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (!rows[i]) continue;
    MILLRACE_TRY(auto person, decode_person(*rows[i]));
    people[i] = std::make_shared<Person>(std::move(person));
    people[i]->stored.value = row_digest(heads[i], *rows[i]);
    more.push_back(keys::profile(users[i]));
    if (has_row_pages(*people[i])) {
      auto pages = row_keys(users[i], *people[i]);
      more.insert(more.end(), std::make_move_iterator(pages.begin()),
                  std::make_move_iterator(pages.end()));
    }
  }
  MILLRACE_TRY(const auto values, db.multi_get(more));
  std::vector<LoadedPerson> loaded(users.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (!people[i]) continue;
    if (const auto& profile = values[at++]) {
      if (auto read = decode_profile(*profile, names)) loaded[i].profile = *read;
    }
    if (has_row_pages(*people[i])) {
      const std::size_t count = people[i]->pages.size();
      MILLRACE_CHECK(fill_rows(*people[i], std::span(more).subspan(at, count),
                               std::span(values).subspan(at, count)));
      at += count;
    }
    loaded[i].person = std::move(people[i]);
  }
  return loaded;
}

Result<std::shared_ptr<Person>> load_rows(const Db& db, std::string_view user, Person person) {
  auto loaded = std::make_shared<Person>(std::move(person));
  if (has_row_pages(*loaded)) {
    const auto keys = row_keys(user, *loaded);
    MILLRACE_TRY(const auto pages, db.multi_get(keys));
    MILLRACE_CHECK(fill_rows(*loaded, keys, pages));
  }
  return loaded;
}

}  // namespace millrace::state
