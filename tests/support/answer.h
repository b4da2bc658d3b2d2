#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/json_value.h"
#include "tests/support/http_client.h"

namespace millrace {

// JSON as a test reads it: what is not there, or of another kind, throws std::runtime_error.
class Answer {
 public:
  explicit Answer(std::string_view text) {
    auto parsed = parse_json(text);
    if (!parsed) throw std::runtime_error("not JSON: " + std::string(text));
    json_ = *std::move(parsed);
  }
  // A 200's body.
  explicit Answer(const HttpReply& reply) : Answer(ok_body(reply)) {}
  explicit Answer(Json json) : json_(std::move(json)) {}

  bool has(std::string_view name) const { return json_.find(name) != nullptr; }
  bool is_null() const { return json_.kind == JsonKind::kNull; }
  Answer operator[](std::string_view name) const {
    const Json* member = json_.find(name);
    if (member == nullptr) throw std::runtime_error("no member " + std::string(name));
    return Answer(*member);
  }
  std::string text() const {
    need(JsonKind::kString, "text");
    return json_.text;
  }
  double number() const {
    need(JsonKind::kNumber, "number");
    return std::stod(json_.text);
  }
  bool truth() const {
    need(JsonKind::kBool, "truth");
    return json_.text == "true";
  }
  std::vector<Answer> elements() const {
    need(JsonKind::kArray, "array");
    return {json_.elements.begin(), json_.elements.end()};
  }

 private:
  static std::string_view ok_body(const HttpReply& reply) {
    if (reply.status == 200) return reply.body;
    throw std::runtime_error("status " + std::to_string(reply.status) + ": " + reply.body);
  }
  void need(JsonKind kind, const char* what) const {
    if (json_.kind != kind) throw std::runtime_error("'" + json_.text + "' is no " + what);
  }

  Json json_;
};

}  // namespace millrace
