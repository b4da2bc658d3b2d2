#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "schemas/interaction_table.h"
#include "schemas/interaction_view.h"
#include "serving/http/caller.h"

namespace millrace::serving {

// Which events a listener hears of: those that match one value of each list that is not empty.
struct LiveFilter {
  std::vector<std::string> users;
  std::vector<std::string> items;
  std::vector<std::string> kinds;
  std::vector<std::uint32_t> types;  // numbers of the interaction table

  // `kind`: of the event's item as the catalog has it; empty: it does not.
  bool matches(const InteractionView& event, std::string_view kind) const;
};

inline constexpr std::size_t kMaxFilterValues = 100;

// The filter that the parameters user, item, type and kind ask for, each as often as one likes;
// others are ignored. An account that may not read everybody's hears of its own events: kForbidden
// where it asks for others'. kInvalid names the parameter.
Result<LiveFilter> live_filter(const std::vector<std::pair<std::string, std::string>>& parameters,
                               const Caller& caller, const InteractionTable& table);

}  // namespace millrace::serving
