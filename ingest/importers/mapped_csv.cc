#include <algorithm>
#include <filesystem>

#include "ingest/importers/csv.h"
#include "ingest/importers/mapped.h"

namespace millrace::ingest {
namespace {

class MappedCsvReader final : public ImportReader {
 public:
  static Result<std::unique_ptr<ImportReader>> open(const std::string& path, const Mapping& mapping,
                                                    char delimiter) {
    MILLRACE_TRY(auto in, open_input(path));
    CsvOptions options;
    options.delimiter = delimiter;
    auto reader = std::make_unique<MappedCsvReader>(path, mapping, std::move(in), options);
    MILLRACE_CHECK(reader->read_header(path));
    return reader;
  }

  MappedCsvReader(const std::string& path, const Mapping& mapping, std::unique_ptr<std::istream> in,
                  const CsvOptions& options)
      : mapping_(mapping),
        name_(std::filesystem::path(path).filename().string()),
        rows_(std::move(in), options) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > 0) size_ = static_cast<double>(size);
  }

  std::optional<ImportRow> next() override {
    if (!rows_.next()) return std::nullopt;
    ImportRow row{name_, rows_.line(), {}};
    const auto cells = rows_.fields();
    if (!rows_.error().empty()) {
      row.json = fail(Code::kInvalid, rows_.error(), "row");
    } else if (cells.size() != width_) {
      row.json = fail(
          Code::kInvalid,
          "has " + std::to_string(cells.size()) + " fields, the header " + std::to_string(width_),
          "row");
    } else {
      row.json = json_of(cells);
    }
    return row;
  }

  double progress() const override {
    return std::min(1.0, static_cast<double>(rows_.bytes()) / size_);
  }

 private:
  Status read_header(const std::string& path) {
    if (!rows_.next() || !rows_.error().empty()) {
      return fail(Code::kInvalid, path + " has no header row", "path");
    }
    const std::vector<std::string> names(rows_.fields().begin(), rows_.fields().end());
    width_ = names.size();
    const auto add = [&](const std::string& field, const std::string& column) {
      const auto found = std::find(names.begin(), names.end(), column);
      if (found == names.end()) return false;
      columns_.emplace_back(field, static_cast<std::size_t>(found - names.begin()));
      return true;
    };
    for (const auto& [field, column] : mapping_.columns) {
      if (!add(field, column)) {
        return fail(Code::kInvalid, path + " has no column " + column, "map");
      }
    }
    for (const auto& field : mapped_fields(mapping_.kind)) {
      if (!is_given(field)) add(field, field);
    }
    for (const auto& field : required_fields(mapping_.kind)) {
      if (!is_given(field)) {
        return fail(Code::kInvalid,
                    "nothing gives `" + field + "`: say --map " + field + "=COLUMN or --set " +
                        field + "=VALUE",
                    "map");
      }
    }
    return {};
  }

  bool is_given(const std::string& field) const {
    const auto names = [&](const auto& pair) { return pair.first == field; };
    return std::any_of(columns_.begin(), columns_.end(), names) ||
           std::any_of(mapping_.constants.begin(), mapping_.constants.end(), names);
  }

  std::string json_of(std::span<const std::string> cells) const {
    std::vector<FieldValue> values;
    for (const auto& [field, column] : columns_) {
      if (!cells[column].empty()) values.push_back({field, cells[column], false});
    }
    for (const auto& [field, value] : mapping_.constants) values.push_back({field, value, false});
    return mapped_json(mapping_, values, rows_.line(), "import:csv");
  }

  const Mapping mapping_;
  const std::string name_;
  double size_ = 1;
  CsvReader rows_;
  std::size_t width_ = 0;
  std::vector<std::pair<std::string, std::size_t>> columns_;  // (field, index of the column)
};

}  // namespace

Result<std::vector<ImportPart>> csv_parts(const std::string& path, const Mapping& mapping,
                                          char delimiter) {
  MILLRACE_CHECK(mapping.check());
  const auto open = [path, mapping, delimiter] {
    return MappedCsvReader::open(path, mapping, delimiter);
  };
  MILLRACE_CHECK(
      open().map([](const auto&) {}));  // a wrong mapping is told before anything is sent
  return std::vector<ImportPart>{
      {std::filesystem::path(path).filename().string(), mapping.kind, {path}, open}};
}

}  // namespace millrace::ingest
