#pragma once
#include <string>
#include <vector>

#include "ingest/importers/import_source.h"
#include "ingest/importers/mapping.h"

namespace millrace::ingest {

// A CSV file with a header row, whose columns become fields as `mapping` says; a column with the
// name of a field that is not mapped fills that field, others are left out. Empty cells are absent.
// kInvalid when a column that is asked for is not there, or nothing gives a required field. Events
// have the source `import:csv` unless given another.
Result<std::vector<ImportPart>> csv_parts(const std::string& path, const Mapping& mapping,
                                          char delimiter);

// A file with a JSON object a line. Without any mapping, items and CloudEvents pass as the API
// takes them (an event without id gets one); otherwise members become fields as columns of a CSV
// do. A column `a.b` is the member b of the object a, unless there is a member `a.b`.
Result<std::vector<ImportPart>> jsonl_parts(const std::string& path, const Mapping& mapping);

}  // namespace millrace::ingest
