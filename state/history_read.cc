#include "state/history_read.h"

#include <algorithm>
#include <memory>
#include <string>

#include "state/keys.h"

namespace millrace::state {
namespace {

using Outcome = HistoryGatherer::Outcome;

// A sealed page: from memory while it is not known to be stored. Null when it is nowhere.
Result<std::shared_ptr<const std::string>> sealed_page(const Db& db, std::string_view user,
                                                       const Person& person, std::uint32_t number) {
  for (const SealedHistory& sealed : person.unwritten) {
    if (sealed.number == number) return sealed.bytes;
  }
  MILLRACE_TRY(auto bytes, db.get(keys::history_page(user, number)));
  if (!bytes) return nullptr;
  return std::make_shared<const std::string>(std::move(*bytes));
}

// kOutOfOrder also for a page that is gone: the person has changed meanwhile.
Result<Outcome> gather(const Db& db, std::string_view user, const Person& person,
                       HistoryGatherer& gatherer) {
  MILLRACE_TRY(auto outcome, gatherer.add_page(person.history_tail));
  for (std::uint32_t number = person.history_next;
       outcome == Outcome::kMore && number > person.history_first;) {
    MILLRACE_TRY(const auto page, sealed_page(db, user, person, --number));
    if (!page) return Outcome::kOutOfOrder;
    MILLRACE_TRY(outcome, gatherer.add_page(*page));
  }
  return outcome;
}

}  // namespace

Result<std::vector<HistoryItem>> HistoryReader::read(std::string_view user,
                                                     const HistoryQuery& query) const {
  constexpr int kAttempts = 8;  // erasure or retention may take pages away while they are read
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    MILLRACE_TRY(const auto view, people.read(user));
    HistoryGatherer gatherer(query);
    if (!view.person) return gatherer.entries;
    MILLRACE_TRY(const auto outcome, gather(db, user, *view.person, gatherer));
    if (outcome == Outcome::kOutOfOrder) continue;
    for (std::size_t i = 0; i < gatherer.entries.size(); ++i) {
      HistoryItem& entry = gatherer.entries[i];
      entry.item = items.index_of(gatherer.numbers[i]);
      if (entry.item == kNoItem) return fail(Code::kCorrupt, "history names an unknown item");
      entry.event.user = UserId(std::string(user));
      entry.event.item = ItemId(std::string(items.name(gatherer.numbers[i])));
    }
    return std::move(gatherer.entries);
  }
  return fail(Code::kCorrupt, "pages of a person's history are missing");
}

Status drop_old_history(const Db& db, std::string_view user, Person& person, UnixMillis log_time) {
  while (person.history_first < person.history_next && person.history_first_log_time < log_time) {
    ++person.history_first;
    std::erase_if(person.unwritten, [&person](const SealedHistory& sealed) {
      return sealed.number < person.history_first;
    });
    person.history_first_log_time = 0;
    if (person.history_first == person.history_next) break;
    MILLRACE_TRY(const auto page, sealed_page(db, user, person, person.history_first));
    if (!page) return fail(Code::kCorrupt, "a person's history page is missing");
    MILLRACE_TRY(person.history_first_log_time, newest_log_time(*page));
  }
  return {};
}

}  // namespace millrace::state
