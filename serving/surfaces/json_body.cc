#include "serving/surfaces/json_body.h"

#include <utility>

#include "schemas/event_json.h"
#include "schemas/rules.h"

namespace millrace::serving {

Result<JsonBody> JsonBody::of(const Request& request) {
  JsonBody body;
  body.json_.kind = JsonKind::kObject;
  if (request.body.empty()) return body;
  if (body_kind(request.header("content-type").value_or(std::string_view())) != BodyKind::kJson) {
    return fail(Code::kInvalid, "must be application/json", "Content-Type");
  }
  auto json = parse_json(request.body);
  if (!json) return fail(Code::kInvalid, "must be a JSON object", "body");
  return of(*std::move(json));
}

Result<JsonBody> JsonBody::of(Json json) {
  if (json.kind != JsonKind::kObject) return fail(Code::kInvalid, "must be a JSON object", "body");
  JsonBody body;
  body.json_ = std::move(json);
  return body;
}

const Json* JsonBody::find(std::string_view name) const {
  const Json* found = json_.find(name);
  return found == nullptr || found->kind == JsonKind::kNull ? nullptr : found;
}

bool JsonBody::is_null(std::string_view name) const {
  const Json* found = json_.find(name);
  return found != nullptr && found->kind == JsonKind::kNull;
}

Result<std::optional<std::string>> JsonBody::line(std::string_view name,
                                                  std::size_t max_bytes) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  return line_of(found->scalar(), name, max_bytes);
}

Result<std::optional<std::string>> JsonBody::text(std::string_view name,
                                                  std::size_t max_bytes) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  return text_of(found->scalar(), name, max_bytes);
}

Result<std::string> JsonBody::required_line(std::string_view name, std::size_t max_bytes) const {
  MILLRACE_TRY(auto given, line(name, max_bytes));
  if (!given || given->empty()) return fail(Code::kInvalid, "is required", std::string(name));
  return *std::move(given);
}

Result<std::optional<std::int64_t>> JsonBody::integer(std::string_view name, std::int64_t low,
                                                      std::int64_t high) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  return integer_of(found->scalar(), name, low, high);
}

}  // namespace millrace::serving
