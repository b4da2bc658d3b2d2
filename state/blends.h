#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/blend.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// The blend in force. Immutable.
struct KeptBlend {
  Blend blend;
  std::uint64_t version = 0;  // 1, 2, 3 …; 0: none was ever put
  UnixMillis created = 0;     // log time
};

// Applies what the catalog's log says of blends. One thread.
class Blends {
 public:
  explicit Blends(FactRows& rows) : rows_(rows) {}

  CommandVerdict apply(const PutBlend& put, UnixMillis log_time);  // with the version

  std::shared_ptr<const KeptBlend> view() const { return now_; }  // never null
  Status restore(std::string_view row);                           // on opening; kCorrupt

 private:
  FactRows& rows_;
  std::shared_ptr<const KeptBlend> now_ = std::make_shared<const KeptBlend>();
};

}  // namespace millrace::state
