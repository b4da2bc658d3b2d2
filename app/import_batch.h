#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "app/import_run.h"
#include "app/resume_file.h"
#include "app/target.h"
#include "ingest/importers/import_source.h"

namespace millrace::app {

// Rows that are sent as one request.
struct ImportBatch {
  struct Place {
    std::string file;
    std::uint64_t line = 0;
  };
  std::string body;                  // NDJSON
  std::vector<Place> places;         // of each line of the body
  std::vector<RowFailure> failures;  // rows that were bad before they were sent
  std::uint64_t rows = 0;            // read for it, bad ones included
  bool last = false;                 // there is nothing behind it
};

// Reads up to `max_rows` rows.
ImportBatch read_batch(ingest::ImportReader& reader, std::size_t max_rows, std::size_t max_bytes);

struct BatchVerdict {
  ImportTotals totals;
  std::vector<RowFailure> failures;  // of both sides
};

// Sends it and reads the answer. Fails when the target took none of it.
Result<BatchVerdict> send_batch(Target& target, ingest::ImportKind kind, ImportBatch batch);

}  // namespace millrace::app
