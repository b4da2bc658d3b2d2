#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/dataset.h"
#include "state/command_outcomes.h"
#include "state/cow_map.h"
#include "state/fact_rows.h"

namespace millrace::state {

// By user id.
using PersonNotesView = CowMap<std::string, std::shared_ptr<const PersonNote>>;

// Applies what the catalog's log says of people. One thread.
class PersonNotes {
 public:
  explicit PersonNotes(FactRows& rows) : rows_(rows) {}

  CommandVerdict apply(const DescribePerson& put);
  void erase(const UserId& user);

  std::shared_ptr<const PersonNotesView> view();               // immutable
  Status restore(std::string_view key, std::string_view row);  // on opening; kCorrupt
  std::size_t memory_bytes() const { return bytes_; }          // about

 private:
  void place(const std::string& user, PersonNote note);

  FactRows& rows_;
  PersonNotesView now_;
  std::shared_ptr<const PersonNotesView> shared_;  // of now_, until that changes
  std::size_t bytes_ = 0;
};

}  // namespace millrace::state
