#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/resume_file.h"
#include "app/target.h"
#include "base/result.h"
#include "ingest/importers/import_source.h"

namespace millrace::app {

// A row that did not go in, and why.
struct RowFailure {
  std::string file;
  std::uint64_t line = 0;
  std::string field;
  std::string rule;

  std::string text() const;  // "ratings.csv:12: rating: must be a number ..."
};

struct ImportProgress {
  std::string part;
  double share = 0;        // of the part, 0 to 1
  std::uint64_t rows = 0;  // of this session, over all parts
  std::uint64_t rejected = 0;
};

struct ImportOptions {
  std::size_t batch_rows = 5000;
  std::size_t batch_bytes = 4ULL << 20;
  std::optional<ResumeFile> resume;  // none: always from the start
  std::string fingerprint;
  std::function<bool()> stop = [] { return false; };  // asked between batches
  std::function<void(const ImportProgress&)> on_progress = [](const ImportProgress&) {};
  std::function<void(const RowFailure&)> on_failure = [](const RowFailure&) {};
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
};

struct ImportOutcome {
  ImportTotals totals;
  bool stopped = false;          // by `stop`: the rest can be resumed
  std::uint64_t resumed_at = 0;  // rows that an earlier session had sent of the part at hand
};

// Sends the rows of `parts` in order, in batches, each answered for before the next. Events are
// waited for until they are applied, which makes `duplicates` exact. A row that is refused is
// counted and told, and the others go on; only a failure that concerns all ends the run, with what
// was acknowledged marked.
//
// An earlier session's mark is believed only after its last batch, sent again, proves to be known
// there: a target that was emptied since gets everything from the start.
Result<ImportOutcome> run_import(Target& target, const std::vector<ingest::ImportPart>& parts,
                                 const ImportOptions& options);

}  // namespace millrace::app
