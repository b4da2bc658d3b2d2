#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ingest/importers/import_source.h"
#include "schemas/json_writer.h"

namespace millrace::ingest {

// How columns of a file that is no data set of ours become fields of events or items.
struct Mapping {
  ImportKind kind = ImportKind::kEvents;
  std::vector<std::pair<std::string, std::string>> columns;    // (field, column)
  std::vector<std::pair<std::string, std::string>> constants;  // (field, value)
  char list_separator = '|';  // between categories or tags in one cell

  // "user=userId,item=contentId" as pairs. kInvalid, field `option`, for anything else.
  static Result<std::vector<std::pair<std::string, std::string>>> parse_pairs(
      std::string_view text, std::string_view option);

  // That every field named is one that an event (or an item) has, none twice. Items may have any
  // `attributes.NAME` besides.
  Status check() const;
  bool empty() const { return columns.empty() && constants.empty(); }
  std::string text() const;  // tells two mappings apart
};

// The fields that columns of their own name fill without being asked for.
std::vector<std::string> mapped_fields(ImportKind kind);
// Those without which nothing can be imported.
std::vector<std::string> required_fields(ImportKind kind);

// A field's value, as found in a cell (text) or in a JSON member (json).
struct FieldValue {
  std::string field;
  std::string text;
  bool is_json = false;  // `text` is one JSON value, to be passed on as it is
};

// The JSON of one event or item of these values; an event without an id gets one made from its
// content and `line`, so that importing a file again counts nothing twice. Cells are put into the
// form that their field needs: times as RFC 3339 from seconds or milliseconds since 1970 or from a
// date with or without time, UTC where none is said; lists split; numbers and truths bare. What
// cannot be is passed on as text for the server to judge.
std::string mapped_json(const Mapping& mapping, const std::vector<FieldValue>& values,
                        std::uint64_t line, std::string_view source);

}  // namespace millrace::ingest
