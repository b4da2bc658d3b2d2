#include "state/keys.h"

namespace millrace::state::keys {
namespace {

// Big-endian, so that keys sort as their numbers do.
template <class Number>
void append_number(std::string& key, Number number) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<unsigned char>(number >> shift)));
  }
}

template <class Number>
std::optional<Number> last_number(std::string_view key) {
  if (key.size() <= sizeof(Number)) return std::nullopt;
  Number number = 0;
  for (const char c : key.substr(key.size() - sizeof(Number))) {
    number = static_cast<Number>(number << 8 | static_cast<unsigned char>(c));
  }
  return number;
}

template <class Number>
std::string numbered(char prefix, Number number) {
  std::string key(1, prefix);
  append_number(key, number);
  return key;
}

// A user's length comes first, so that no user's keys begin with another's.
std::string of_user(char prefix, std::string_view user, std::size_t more) {
  std::string key;
  key.reserve(3 + user.size() + more);
  key.push_back(prefix);
  append_number(key, static_cast<std::uint16_t>(user.size()));
  key.append(user);
  return key;
}

template <class Number>
std::string of_user(char prefix, std::string_view user, Number number, std::size_t more) {
  std::string key = of_user(prefix, user, more);
  append_number(key, number);
  return key;
}

std::string plain(char prefix, std::string_view user) {
  std::string key;
  key.reserve(1 + user.size());
  key.push_back(prefix);
  key.append(user);
  return key;
}

}  // namespace

std::string person(std::string_view user) { return plain('a', user); }
std::string row_page(std::string_view user, std::uint32_t number) {
  return of_user('b', user, number, sizeof number);
}
std::string history_page(std::string_view user, std::uint32_t number) {
  return of_user('c', user, number, sizeof number);
}
std::string item_chunk(std::uint32_t number) { return numbered('d', number); }
std::string dictionary_page(std::uint32_t number) { return numbered('e', number); }
std::string attribution(std::string_view prefix, std::int32_t row) {
  std::string key(prefix);
  append_number(key, static_cast<std::uint32_t>(row));
  return key;
}
std::string experiment(std::uint64_t experiment) {
  std::string key(kExperiments);
  append_number(key, experiment);
  return key;
}
std::string digest(Offset offset) { return numbered('g', static_cast<std::uint64_t>(offset)); }
std::string duplicates(std::uint64_t first_sequence) { return numbered('h', first_sequence); }
std::string dead_letter(Offset offset) { return numbered('i', static_cast<std::uint64_t>(offset)); }
std::string dead_letters_of(std::string_view user) { return of_user('j', user, 0); }
std::string dead_letter_of(std::string_view user, Offset offset) {
  return of_user('j', user, static_cast<std::uint64_t>(offset), sizeof offset);
}
std::string profile(std::string_view user) { return plain('k', user); }

std::string tracked_rows(std::string_view user) { return of_user('X', user, 0); }
std::string tracked_places(std::string_view user) { return of_user('Y', user, 0); }
std::string tracked_sums(std::string_view user) { return of_user('Z', user, 0); }
std::string tracked_row(std::string_view user, Offset id) {
  return of_user('X', user, ~static_cast<std::uint64_t>(id), sizeof id);
}
std::string tracked_place(std::string_view user, std::uint32_t type, std::string_view item) {
  return of_user('Y', user, type, sizeof type + item.size()).append(item);
}
std::string tracked_week(std::string_view user, std::uint32_t week) {
  return of_user('Z', user, week, sizeof week);
}
Offset id_of_tracked_row(std::string_view key) {
  return static_cast<Offset>(~number64(key).value_or(~std::uint64_t{0}));
}
std::string_view user_of_tracked(std::string_view key) {
  if (key.size() < 3) return {};
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(key[1])) << 8 |
                    static_cast<unsigned char>(key[2]);
  return key.size() < 3 + size ? std::string_view() : key.substr(3, size);
}

bool is_fact(std::string_view key) {
  return !key.empty() && key.front() >= kFirstFact && key.front() <= kLastFact;
}

std::string_view user_of_person(std::string_view key) { return key.substr(1); }

std::optional<std::uint32_t> number32(std::string_view key) {
  return last_number<std::uint32_t>(key);
}
std::optional<std::uint64_t> number64(std::string_view key) {
  return last_number<std::uint64_t>(key);
}

}  // namespace millrace::state::keys
