#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/importers/csv.h"
#include "ingest/importers/import_source.h"

namespace millrace::ingest {

// A CSV file of which certain columns are wanted, in the order asked for.
class MovielensTable {
 public:
  // kInvalid when the header lacks one of `columns`. Of a header cell `name:type` the name counts.
  static Result<MovielensTable> open(const std::string& path, const CsvOptions& options,
                                     const std::vector<std::string>& columns);

  struct Row {
    std::uint64_t line = 0;
    Result<std::vector<std::string>> cells;  // of the columns asked for
  };
  std::optional<Row> next();
  ImportRow refused(const Row& row) const;  // a bad row as an import names it
  const std::string& name() const { return name_; }
  double progress() const;

 private:
  MovielensTable(std::string path, std::unique_ptr<CsvReader> rows);

  std::string name_;
  double size_ = 1;  // bytes
  std::unique_ptr<CsvReader> rows_;
  std::vector<std::size_t> wanted_;
  std::size_t width_ = 0;  // columns of the header
};

}  // namespace millrace::ingest
