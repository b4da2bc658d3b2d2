#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "schemas/event_json.h"
#include "schemas/json_value.h"

namespace millrace {

// An event while its members come in, in any order. Knows the rules of CloudEvents attributes and
// of `data`; knows nothing of how the text was parsed. The first rule broken is the verdict.
class EventDraft {
 public:
  // A CloudEvents attribute. Unknown ones are ignored, a null is as good as none.
  void attribute(std::string_view name, JsonText value);
  // A member of `data`. The same holds.
  void data(std::string_view name, JsonText value);
  // `data` is there and is an object.
  void has_data() { has_data_ = true; }
  void refuse(std::string_view field, std::string rule);
  void refuse_data(std::string_view name, std::string rule);

  EventOutcome finish(bool must_have_specversion) &&;

 private:
  template <class Target, class Value>
  void keep(Target& target, Result<Value> value);
  void keep_context(JsonText value);
  void keep_type(JsonText value);
  void require(bool there, std::string_view field);

  Event event_;
  std::optional<Error> error_;
  bool has_data_ = false;
  bool has_specversion_ = false;
};

}  // namespace millrace
