#pragma once
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/ids.h"

namespace millrace {

// What X-Millrace-Position carries: for each partition named, the offset of the last record that
// must be visible. Text form: `i<partition>:<offset>` and `c:<offset>` joined by commas, e.g.
// "i2:1041,c:7".
class Position {
 public:
  void include(LogPartition partition, Offset offset);  // keeps the larger offset
  void include(const Position& other);
  bool empty() const { return at_.empty(); }
  const std::map<LogPartition, Offset>& at() const { return at_; }

  std::string text() const;
  static Result<Position> parse(std::string_view text);  // kInvalid, field "position"

  friend bool operator==(const Position&, const Position&) = default;

 private:
  std::map<LogPartition, Offset> at_;
};

}  // namespace millrace
