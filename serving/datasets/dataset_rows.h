#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "schemas/catalog_record.h"
#include "schemas/dataset.h"
#include "schemas/event.h"
#include "serving/deps.h"

namespace millrace::serving {

// What one row of a dataset becomes: an event, or a change of the catalog.
using DatasetRow = std::variant<Event, CatalogRecord>;
inline constexpr const char* kDatasetSource = "/datasets";  // of its events

// Turns the rows of a CSV file into events and catalog records. Columns are found by the names in
// the header, in any order:
//   interactions  user_id, product_id, interaction_type, perhaps timestamp (RFC 3339, or seconds or
//                 milliseconds since 1970) and the optional fields of engine_event.h
//   items         product_id, product_name, perhaps category and price; other columns become
//                 attributes, and what else is known of the item stays
//   users         user_id; other columns become what is said of the person, beside what was
// Rows are named by the digest of all that came before them, so that the same file again, or one
// that goes on from it, names its rows as before. One thread.
class DatasetRows {
 public:
  // kInvalid, field "file": a column is not there, or there twice.
  static Result<DatasetRows> of(DatasetType type, std::span<const std::string> header,
                                const Deps& deps);

  // Of the next row. kInvalid names the column and its rule.
  Result<DatasetRow> next(std::span<const std::string> cells);
  const std::string& checksum() const { return checksum_; }  // of the header and the rows so far

 private:
  DatasetRows(DatasetType type, std::span<const std::string> header, const Deps& deps);
  void digest(std::span<const std::string> cells);
  Result<std::string> attributes(std::span<const std::string> cells,
                                 std::initializer_list<std::string_view> other,
                                 const std::string& known) const;
  std::string cell(std::span<const std::string> cells, std::string_view column) const;
  Result<DatasetRow> interaction(std::span<const std::string> cells) const;
  Result<DatasetRow> item(std::span<const std::string> cells) const;
  Result<DatasetRow> user(std::span<const std::string> cells) const;

  DatasetType type_;
  std::vector<std::string> columns_;
  Deps deps_;
  std::string checksum_;
};

}  // namespace millrace::serving
