#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "schemas/ids.h"

namespace millrace::state {

// Rows of one person that RocksDB does not have yet, as it will have them. A value; what is
// published is immutable.
struct PendingRows {
  struct Row {
    Offset at = 0;                     // the record that wrote it
    std::optional<std::string> value;  // nothing: it is deleted
  };
  std::map<std::string, Row, std::less<>> rows;  // by key
  Offset last = -1;                              // highest `at`
  std::size_t bytes = 0;                         // about

  void put(std::string key, Row row) {
    constexpr std::size_t kNode = 128;
    bytes += kNode + key.size() + (row.value ? row.value->size() : 0);
    last = row.at;
    rows.insert_or_assign(std::move(key), std::move(row));
  }
};

}  // namespace millrace::state
