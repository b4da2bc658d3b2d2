#include "ingest/importers/movielens_table.h"

#include <algorithm>
#include <filesystem>

namespace millrace::ingest {

MovielensTable::MovielensTable(std::string path, std::unique_ptr<CsvReader> rows)
    : name_(std::filesystem::path(path).filename().string()), rows_(std::move(rows)) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > 0) size_ = static_cast<double>(size);
}

Result<MovielensTable> MovielensTable::open(const std::string& path, const CsvOptions& options,
                                            const std::vector<std::string>& columns) {
  MILLRACE_TRY(auto in, open_input(path));
  MovielensTable table(path, std::make_unique<CsvReader>(std::move(in), options));
  if (!table.rows_->next()) return fail(Code::kInvalid, path + " is empty", "path");
  std::vector<std::string> names;
  for (const auto& cell : table.rows_->fields()) names.push_back(cell.substr(0, cell.find(':')));
  table.width_ = names.size();
  for (const auto& column : columns) {
    const auto found = std::find(names.begin(), names.end(), column);
    if (found == names.end()) {
      return fail(Code::kInvalid, path + " has no column " + column, column);
    }
    table.wanted_.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return table;
}

std::optional<MovielensTable::Row> MovielensTable::next() {
  if (!rows_->next()) return std::nullopt;
  if (!rows_->error().empty()) {
    return Row{rows_->line(), fail(Code::kInvalid, rows_->error(), "row")};
  }
  const auto fields = rows_->fields();
  if (fields.size() != width_) {
    return Row{rows_->line(), fail(Code::kInvalid,
                                   "has " + std::to_string(fields.size()) + " fields, the header " +
                                       std::to_string(width_),
                                   "row")};
  }
  std::vector<std::string> cells;
  cells.reserve(wanted_.size());
  for (const std::size_t column : wanted_) cells.push_back(fields[column]);
  return Row{rows_->line(), std::move(cells)};
}

ImportRow MovielensTable::refused(const Row& row) const {
  return {name_, row.line, tl::unexpected<Error>(row.cells.error())};
}

double MovielensTable::progress() const {
  return std::min(1.0, static_cast<double>(rows_->bytes()) / size_);
}

}  // namespace millrace::ingest
