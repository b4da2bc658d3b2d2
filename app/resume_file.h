#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::app {

// What became of the rows sent, over all sessions of one import.
struct ImportTotals {
  std::uint64_t items_created = 0;
  std::uint64_t items_replaced = 0;
  std::uint64_t events_accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;  // rows that went in nowhere, whoever found them bad

  friend bool operator==(const ImportTotals&, const ImportTotals&) = default;
};

// How far an unfinished import has come. Rows are counted from the part's start, bad ones included.
struct ImportMark {
  std::string fingerprint;  // of what is imported, and where to
  std::uint64_t part = 0;
  std::uint64_t rows = 0;      // acknowledged
  std::uint64_t previous = 0;  // acknowledged before the last batch
  ImportTotals totals;

  friend bool operator==(const ImportMark&, const ImportMark&) = default;
};

// A file that is there only while an import is unfinished. Losing it costs time and nothing else:
// rows sent twice are duplicates.
class ResumeFile {
 public:
  explicit ResumeFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  std::optional<ImportMark> load() const;  // nothing when there is none that can be read
  Status save(const ImportMark& mark) const;
  void remove() const;

 private:
  std::string path_;
};

// Says of files whether they are still the same (by path, size and time of change), together with
// what is made of them. 32 hex digits.
std::string import_fingerprint(const std::vector<std::string>& files, const std::string& meaning,
                               const std::string& target);

// Where the mark of such an import is kept: $XDG_STATE_HOME/millrace, else
// $HOME/.local/state/millrace, else /var/tmp.
std::string default_resume_path(const std::string& fingerprint);

}  // namespace millrace::app
