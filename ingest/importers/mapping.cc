#include "ingest/importers/mapping.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "schemas/json_grammar.h"
#include "schemas/rfc3339.h"
#include "state/digest.h"

namespace millrace::ingest {
namespace {

enum class Form { kText, kTime, kList, kNumber, kTruth };

struct Field {
  std::string_view name;
  Form form = Form::kText;
  bool attribute = false;  // of the CloudEvent itself, not of its data
  bool required = false;
};

constexpr std::array kEventFields = {
    Field{"id", Form::kText, true, false},
    Field{"source", Form::kText, true, false},
    Field{"type", Form::kText, true, true},
    Field{"time", Form::kTime, true, false},
    Field{"user", Form::kText, false, true},
    Field{"item", Form::kText, false, true},
    Field{"session", Form::kText, false, false},
    Field{"value", Form::kText, false, false},
    Field{"duration_s", Form::kNumber, false, false},
    Field{"mood", Form::kText, false, false},
    Field{"mood_intensity", Form::kNumber, false, false},
    Field{"device", Form::kText, false, false},
    Field{"context", Form::kText, false, false},
    Field{"notes", Form::kText, false, false},
    Field{"recommendation_id", Form::kText, false, false},
};

constexpr std::array kItemFields = {
    Field{"id", Form::kText, true, true},         Field{"kind", Form::kText, true, false},
    Field{"title", Form::kText, true, false},     Field{"categories", Form::kList, true, false},
    Field{"genres", Form::kList, true, false},    Field{"tags", Form::kList, true, false},
    Field{"price", Form::kText, true, false},     Field{"created", Form::kTime, true, false},
    Field{"published", Form::kTime, true, false}, Field{"hidden", Form::kTruth, true, false},
    Field{"parent", Form::kText, true, false},
};

constexpr std::string_view kAttribute = "attributes.";

template <class Visit>
void for_fields(ImportKind kind, Visit visit) {
  if (kind == ImportKind::kEvents) {
    for (const auto& field : kEventFields) visit(field);
  } else {
    for (const auto& field : kItemFields) visit(field);
  }
}

std::optional<Field> find_field(ImportKind kind, std::string_view name) {
  std::optional<Field> found;
  for_fields(kind, [&](const Field& field) {
    if (field.name == name) found = field;
  });
  return found;
}

std::string time_text(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 0) {
    // Seconds reach the year 5138 before milliseconds have left 1973.
    const double ms = std::floor(number < 1e11 ? number * 1000 : number);
    return ms <= static_cast<double>(kMaxTime) ? rfc3339(static_cast<UnixMillis>(ms)) : text;
  }
  for (const std::string& as_utc : {text, text + "Z", text + "T00:00:00Z"}) {
    std::string candidate = as_utc;
    if (candidate.size() > 10 && candidate[10] == ' ') candidate[10] = 'T';
    const auto time = parse_rfc3339(candidate);
    if (time) return rfc3339(*time);
  }
  return text;
}

void write_list(JsonWriter& out, std::string_view text, char separator) {
  out.begin_array();
  while (!text.empty()) {
    std::string_view name = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) out.value(name);
  }
  out.end_array();
}

bool is_json_number(const std::string& text) {
  return !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) &&
         check_json(text).has_value();
}

void write_value(JsonWriter& out, const Mapping& mapping, Form form, const FieldValue& value) {
  if (form == Form::kTime && (!value.is_json || is_json_number(value.text))) {
    out.value(time_text(value.text));
  } else if (value.is_json || (form == Form::kNumber && is_json_number(value.text))) {
    out.raw(value.text);
  } else if (form == Form::kList) {
    write_list(out, value.text, mapping.list_separator);
  } else if (form == Form::kTruth && (value.text == "1" || value.text == "true")) {
    out.value(true);
  } else if (form == Form::kTruth && (value.text == "0" || value.text == "false")) {
    out.value(false);
  } else {
    out.value(value.text);
  }
}

// The members of the object at hand that belong to it.
template <class Belongs>
void write_members(JsonWriter& out, const Mapping& mapping, const std::vector<FieldValue>& values,
                   Belongs belongs) {
  for (const auto& value : values) {
    const auto field = find_field(mapping.kind, value.field);
    if (!belongs(value.field, field)) continue;
    out.key(field ? value.field : value.field.substr(kAttribute.size()));
    write_value(out, mapping, field ? field->form : Form::kText, value);
  }
}

void write_event(JsonWriter& out, const Mapping& mapping, const std::vector<FieldValue>& values) {
  write_members(out, mapping, values,
                [](const auto&, const auto& field) { return field && field->attribute; });
  out.key("data");
  out.begin_object();
  write_members(out, mapping, values,
                [](const auto&, const auto& field) { return field && !field->attribute; });
  out.end_object();
}

void write_item(JsonWriter& out, const Mapping& mapping, const std::vector<FieldValue>& values) {
  write_members(out, mapping, values,
                [](const auto&, const auto& field) { return field.has_value(); });
  const bool has_attributes = std::any_of(values.begin(), values.end(), [&](const auto& value) {
    return !find_field(mapping.kind, value.field);
  });
  if (!has_attributes) return;
  out.key("attributes");
  out.begin_object();
  write_members(out, mapping, values, [](const auto&, const auto& field) { return !field; });
  out.end_object();
}

bool has_field(const std::vector<FieldValue>& values, std::string_view name) {
  return std::any_of(values.begin(), values.end(),
                     [&](const auto& value) { return value.field == name; });
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> Mapping::parse_pairs(
    std::string_view text, std::string_view option) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0 || equals + 1 == pair.size()) {
      return fail(Code::kInvalid,
                  "--" + std::string(option) + ": \"" + std::string(pair) +
                      "\" is not FIELD=" + (option == "set" ? "VALUE" : "COLUMN"),
                  std::string(option));
    }
    pairs.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return pairs;
}

Status Mapping::check() const {
  std::vector<std::string> seen;
  for (const auto* pairs : {&columns, &constants}) {
    for (const auto& [field, value] : *pairs) {
      const bool attribute = kind == ImportKind::kItems && field.size() > kAttribute.size() &&
                             field.compare(0, kAttribute.size(), kAttribute) == 0;
      if (!attribute && !find_field(kind, field)) {
        std::string known;
        for (const auto& name : mapped_fields(kind)) known += (known.empty() ? "" : ", ") + name;
        if (kind == ImportKind::kItems) known += ", attributes.NAME";
        return fail(Code::kInvalid, "no such field: " + field + "; there are " + known, "map");
      }
      if (std::find(seen.begin(), seen.end(), field) != seen.end()) {
        return fail(Code::kInvalid, "the field " + field + " is given twice", "map");
      }
      seen.push_back(field);
    }
  }
  return {};
}

std::string Mapping::text() const {
  std::string out = kind == ImportKind::kEvents ? "events" : "items";
  for (const auto& [field, column] : columns) out += '\n' + field + '=' + column;
  for (const auto& [field, value] : constants) out += '\n' + field + ":=" + value;
  return out + '\n' + list_separator;
}

std::vector<std::string> mapped_fields(ImportKind kind) {
  std::vector<std::string> names;
  for_fields(kind, [&](const Field& field) { names.emplace_back(field.name); });
  return names;
}

std::vector<std::string> required_fields(ImportKind kind) {
  std::vector<std::string> names;
  for_fields(kind, [&](const Field& field) {
    if (field.required) names.emplace_back(field.name);
  });
  return names;
}

std::string mapped_json(const Mapping& mapping, const std::vector<FieldValue>& values,
                        std::uint64_t line, std::string_view source) {
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  if (mapping.kind == ImportKind::kItems) {
    write_item(out, mapping, values);
    out.end_object();
    return json;
  }
  if (!has_field(values, "source")) out.member("source", source);
  write_event(out, mapping, values);
  if (!has_field(values, "id")) {
    out.member("id", state::row_digest(std::to_string(line), json).text());
  }
  out.end_object();
  return json;
}

}  // namespace millrace::ingest
