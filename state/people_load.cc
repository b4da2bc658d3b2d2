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
  std::vector<std::string> keys;
  keys.reserve(users.size() * 2);
  for (const std::string_view user : users) {
    keys.push_back(keys::person(user));
    keys.push_back(keys::profile(user));
  }
  MILLRACE_TRY(const auto rows, db.multi_get(keys));
  std::vector<std::shared_ptr<Person>> people(users.size());
  std::vector<LoadedPerson> loaded(users.size());
  std::vector<std::string> page_keys;
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (!rows[2 * i]) continue;
    MILLRACE_TRY(auto person, decode_person(*rows[2 * i]));
    people[i] = std::make_shared<Person>(std::move(person));
    people[i]->stored.value = row_digest(keys[2 * i], *rows[2 * i]);
    if (has_row_pages(*people[i])) {
      auto more = row_keys(users[i], *people[i]);
      page_keys.insert(page_keys.end(), std::make_move_iterator(more.begin()),
                       std::make_move_iterator(more.end()));
    }
    if (!rows[2 * i + 1]) continue;
    if (auto profile = decode_profile(*rows[2 * i + 1], names)) loaded[i].profile = *profile;
  }
  MILLRACE_TRY(const auto pages, db.multi_get(page_keys));
  std::size_t at = 0;
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (!people[i]) continue;
    if (has_row_pages(*people[i])) {
      const std::size_t count = people[i]->pages.size();
      MILLRACE_CHECK(fill_rows(*people[i], std::span(page_keys).subspan(at, count),
                               std::span(pages).subspan(at, count)));
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
