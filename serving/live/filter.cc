#include "serving/live/filter.h"

#include <algorithm>

#include "schemas/account.h"
#include "schemas/rules.h"

namespace millrace::serving {
namespace {

template <class Value, class Wanted>
bool one_of(const std::vector<Value>& values, const Wanted& wanted) {
  return values.empty() || std::find(values.begin(), values.end(), wanted) != values.end();
}

Status add(LiveFilter& filter, const std::string& name, const std::string& value,
           const InteractionTable& table) {
  if (name == "user" || name == "item") {
    MILLRACE_CHECK(check_id(value, name));
    (name == "user" ? filter.users : filter.items).push_back(value);
  } else if (name == "kind") {
    if (!is_kind(value)) return fail(Code::kInvalid, "must be 1 to 32 of a-z 0-9 _ -", name);
    filter.kinds.push_back(value);
  } else if (name == "type") {
    const auto* row = table.find(value);
    if (row == nullptr) {
      return fail(Code::kInvalid, "'" + value + "' is not in the interaction table", name);
    }
    filter.types.push_back(row->number);
  }
  return {};
}

}  // namespace

bool LiveFilter::matches(const InteractionView& event, std::string_view kind) const {
  return one_of(users, event.user) && one_of(items, event.item) &&
         one_of(types, event.type_number) && one_of(kinds, kind);
}

Result<LiveFilter> live_filter(const std::vector<std::pair<std::string, std::string>>& parameters,
                               const Caller& caller, const InteractionTable& table) {
  LiveFilter filter;
  for (const auto& [name, value] : parameters) {
    MILLRACE_CHECK(add(filter, name, value, table));
    if (filter.users.size() + filter.items.size() + filter.kinds.size() + filter.types.size() >
        kMaxFilterValues) {
      return fail(Code::kInvalid, "must be at most 100 values in all filters together", name);
    }
  }
  if (caller.may_read()) return filter;
  if (filter.users.empty()) filter.users.push_back(user_of(caller.account).value);
  for (const auto& user : filter.users) {
    if (!caller.is(user)) {
      return fail(Code::kForbidden, "only admins and services that may read hear of other users",
                  "user");
    }
  }
  return filter;
}

}  // namespace millrace::serving
