#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/json_value.h"
#include "serving/http/message.h"

namespace millrace::serving {

// A request's body as a JSON object whose members are taken one by one. Members that nobody asks
// for are ignored; null stands for absent.
class JsonBody {
 public:
  // kInvalid, field "body": no JSON object; field "Content-Type": of another type. An empty body
  // stands for an empty object.
  static Result<JsonBody> of(const Request& request);
  static Result<JsonBody> of(Json json);  // the same of a value within a body

  // nullptr: absent.
  const Json* find(std::string_view name) const;
  bool is_null(std::string_view name) const;  // given, as null
  // A line of text of at most `max_bytes`. kInvalid names the member.
  Result<std::optional<std::string>> line(std::string_view name, std::size_t max_bytes) const;
  // Text with line breaks.
  Result<std::optional<std::string>> text(std::string_view name, std::size_t max_bytes) const;
  // The same, and kInvalid when it is absent or empty.
  Result<std::string> required_line(std::string_view name, std::size_t max_bytes) const;
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t low,
                                              std::int64_t high) const;

 private:
  Json json_;
};

}  // namespace millrace::serving
