#pragma once
#include <memory>
#include <string>

#include "ingest/importers/import_source.h"

namespace millrace::ingest {

// ratings.csv of GroupLens, and NAME.inter of RecBole. The whole file is read at once.
Result<std::unique_ptr<ImportReader>> read_grouplens_ratings(const std::string& file);
Result<std::unique_ptr<ImportReader>> read_recbole_ratings(const std::string& file);

}  // namespace millrace::ingest
