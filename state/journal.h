#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/catalog_record.h"
#include "schemas/ids.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// One thing that was done, or noticed.
struct JournalEntry {
  Offset offset = 0;    // of its record in the catalog
  UnixMillis time = 0;  // log time
  Actor actor;
  std::string action;   // "account.change"
  std::string subject;  // what it was done to: an id, a number, an address
  CommandOutcome outcome = CommandOutcome::kAccepted;
  std::uint64_t count = 1;  // records of one request that are told as one entry
  std::string details;      // a JSON object; empty: none
  std::string command;      // of a request with many records; empty: it had one
};

// The entry that tells of a change by an administrator, a service's key or the server. Nothing for
// what people do of their own, and for notices.
std::optional<JournalEntry> told(const CatalogRecord& record, const CommandVerdict& verdict);

// Nothing of it: everything.
struct JournalQuery {
  std::optional<AccountId> account{};  // of the actor
  std::string action{};                // whole, or what comes before a dot
  std::string subject{};
  UnixMillis since = 0;
  UnixMillis until = 0;  // 0: no end
  Offset before = 0;     // only entries of lower offsets; 0: all
};

// The newest entries of one kind, in memory and as rows that are no facts. Not thread-safe.
class Journal {
 public:
  Journal(char row, std::size_t kept) : row_(row), kept_(kept) {}

  void add(FactRows& rows, JournalEntry entry);
  // On opening, in the order of adding. kCorrupt.
  Status restore(std::string_view key, std::string_view value);
  // Newest first.
  std::vector<JournalEntry> find(const JournalQuery& query, std::size_t limit) const;
  std::size_t memory_bytes() const { return entries_.size() * 350; }  // about

 private:
  const char row_;
  const std::size_t kept_;
  std::deque<JournalEntry> entries_;
};

}  // namespace millrace::state
