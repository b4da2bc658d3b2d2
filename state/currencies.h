#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/currency.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// What prices can be shown in, by code, ascending.
using Rates = std::map<std::string, Rate, std::less<>>;

// Applies what the catalog's log says of currencies. One thread.
class Currencies {
 public:
  explicit Currencies(FactRows& rows) : rows_(rows) {}

  CommandVerdict apply(const PutRate& put);
  CommandVerdict apply(const DeleteRate& gone);

  std::shared_ptr<const Rates> view() const { return now_; }   // immutable
  Status restore(std::string_view key, std::string_view row);  // on opening; kCorrupt

 private:
  FactRows& rows_;
  std::shared_ptr<const Rates> now_ = std::make_shared<const Rates>();
};

}  // namespace millrace::state
