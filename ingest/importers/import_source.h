#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

enum class ImportKind : std::uint8_t { kItems, kEvents };

// One row of a file as one JSON object: an item, or an event in CloudEvents' form.
struct ImportRow {
  std::string file;        // where it was read
  std::uint64_t line = 0;  // in that file, from 1
  // Its error names the column that broke a rule in `field` and the rule in `detail`.
  Result<std::string> json;
};

// Gives the rows of one part, good and bad, always in the same order for the same files. One
// thread.
class ImportReader {
 public:
  virtual ~ImportReader() = default;
  virtual std::optional<ImportRow> next() = 0;
  virtual double progress() const = 0;  // the share that has been read, 0 to 1
};

// A piece of an import: one file's worth of items or events. Parts are sent in order.
struct ImportPart {
  std::string name;  // for people: the file's name
  ImportKind kind = ImportKind::kEvents;
  std::vector<std::string> files;  // what it is made from
  // kInvalid when a file is not what it should be (no such column), kIo when it cannot be read.
  std::function<Result<std::unique_ptr<ImportReader>>()> open;
};

}  // namespace millrace::ingest
