#include "schemas/event_json.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <algorithm>
#include <memory>

#include "schemas/event_draft.h"
#include "schemas/json_grammar.h"

namespace millrace {
namespace {

namespace ondemand = simdjson::ondemand;

// Bodies above this are parsed with a parser of their own, so that a rare large one does not leave
// its buffers behind in every thread.
constexpr std::size_t kKeptBytes = 1 << 20;

struct Scratch {
  ondemand::parser parser;
  std::string padded;
};

// Runs `use` with the thread's scratch, or with a fresh one for a large body.
template <class Use>
auto with_scratch(std::size_t bytes, Use use) {
  if (bytes > kKeptBytes) {
    const auto scratch = std::make_unique<Scratch>();
    return use(*scratch);
  }
  thread_local Scratch kept;
  return use(kept);
}

std::string_view pad(Scratch& scratch, std::string_view body) {
  scratch.padded.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  scratch.padded.assign(body);
  scratch.padded.append(simdjson::SIMDJSON_PADDING, ' ');
  return std::string_view(scratch.padded).substr(0, body.size());
}

// A view into a padded buffer, as the parser wants it.
simdjson::padded_string_view padded(std::string_view text) {
  return simdjson::padded_string_view(text.data(), text.size(),
                                      text.size() + simdjson::SIMDJSON_PADDING);
}

// Room for as many events as a body is likely to hold.
std::vector<EventOutcome> outcomes_for(std::string_view body, std::size_t max_events) {
  constexpr std::size_t kLikelyBytes = 160;
  std::vector<EventOutcome> outcomes;
  outcomes.reserve(std::min(body.size() / kLikelyBytes + 1, max_events));
  return outcomes;
}

std::string_view trimmed(std::string_view token) {
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

JsonKind kind_of(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array: return JsonKind::kArray;
    case ondemand::json_type::object: return JsonKind::kObject;
    case ondemand::json_type::number: return JsonKind::kNumber;
    case ondemand::json_type::string: return JsonKind::kString;
    case ondemand::json_type::boolean: return JsonKind::kBool;
    case ondemand::json_type::null: return JsonKind::kNull;
  }
  return JsonKind::kNull;
}

// Nothing for a string that cannot be said in UTF-8 (half a surrogate pair).
std::optional<JsonText> read(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
  JsonText out{kind_of(type), {}};
  simdjson::error_code error = simdjson::SUCCESS;
  if (out.kind == JsonKind::kString) {
    error = value.get_string().get(out.text);
  } else if (out.kind == JsonKind::kArray || out.kind == JsonKind::kObject) {
    error = simdjson::to_json_string(value).get(out.text);
  } else {
    out.text = trimmed(value.raw_json_token());
  }
  if (error != simdjson::SUCCESS) return std::nullopt;
  return out;
}

// Calls visit(name, value) for each member. The text has passed check_json(), so that what can
// still fail is a name that is no UTF-8 when unescaped: such a member is nobody's and skipped.
template <class Visit>
void for_each_member(ondemand::object object, Visit visit) {
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return;
    std::string_view name;
    if (field.unescaped_key().get(name) == simdjson::SUCCESS) visit(name, field.value());
  }
}

void read_data(EventDraft& draft, ondemand::object object) {
  draft.has_data();
  for_each_member(object, [&draft](std::string_view name, ondemand::value value) {
    const auto text = read(value);
    if (text) {
      draft.data(name, *text);
    } else {
      draft.refuse_data(name, "must be text that UTF-8 can hold");
    }
  });
}

void read_member(EventDraft& draft, std::string_view name, ondemand::value value) {
  if (name == "data") {
    ondemand::object object;
    if (value.get_object().get(object) == simdjson::SUCCESS) return read_data(draft, object);
  }
  const auto text = read(value);
  if (!text) return draft.refuse(name, "must be text that UTF-8 can hold");
  if (name != "data") return draft.attribute(name, *text);
  if (text->kind != JsonKind::kNull) draft.refuse(name, "must be a JSON object");
}

EventOutcome no_event() { return {"", fail(Code::kInvalid, "must be a JSON object", "event")}; }

// `any` is a document or a value in an array.
template <class Any>
EventOutcome read_event(Any& any, bool must_have_specversion) {
  ondemand::object object;
  if (any.get_object().get(object) != simdjson::SUCCESS) return no_event();
  EventDraft draft;
  for_each_member(object, [&draft](std::string_view name, ondemand::value value) {
    read_member(draft, name, value);
  });
  return std::move(draft).finish(must_have_specversion);
}

tl::unexpected<Error> not_json(std::string_view why) {
  return fail(Code::kInvalid, "the body is no valid JSON: " + std::string(why), "body");
}

tl::unexpected<Error> too_many(std::size_t max_events) {
  return fail(Code::kTooLarge, "at most " + std::to_string(max_events) + " at a time", "body");
}

using Outcomes = Result<std::vector<EventOutcome>>;

Outcomes read_array(ondemand::document& document, std::vector<EventOutcome> outcomes, BodyKind kind,
                    std::size_t max_events) {
  ondemand::array array;
  if (document.get_array().get(array) != simdjson::SUCCESS) return not_json("it is no array");
  for (auto element : array) {
    ondemand::value value;
    if (std::move(element).get(value) != simdjson::SUCCESS) return not_json("it ends early");
    if (outcomes.size() == max_events) return too_many(max_events);
    outcomes.push_back(read_event(value, kind == BodyKind::kBatch));
  }
  return outcomes;
}

// The document of a text that lies in a padded buffer; it refers to `parser` and the text.
Result<ondemand::document> open(ondemand::parser& parser, std::string_view text) {
  MILLRACE_CHECK(check_json(text));
  ondemand::document document;
  const auto error = parser.iterate(padded(text)).get(document);
  if (error != simdjson::SUCCESS) return fail(Code::kInvalid, simdjson::error_message(error));
  return document;
}

Outcomes read_document(Scratch& scratch, std::string_view body, BodyKind kind,
                       std::size_t max_events) {
  auto document = open(scratch.parser, pad(scratch, body));
  if (!document.has_value()) return not_json(document.error().detail);
  ondemand::json_type type{};
  if (document->type().get(type) != simdjson::SUCCESS) return not_json("it is empty");
  const bool array = type == ondemand::json_type::array;
  if (array && kind != BodyKind::kStructured) {
    return read_array(*document, outcomes_for(body, max_events), kind, max_events);
  }
  if (type != ondemand::json_type::object || kind == BodyKind::kBatch) {
    return fail(Code::kInvalid,
                kind == BodyKind::kBatch        ? "must be an array of events"
                : kind == BodyKind::kStructured ? "must be one event, a JSON object"
                                                : "must be an event or an array of events",
                "body");
  }
  std::vector<EventOutcome> outcomes;
  outcomes.push_back(read_event(*document, kind == BodyKind::kStructured));
  return outcomes;
}

Outcomes read_lines(Scratch& scratch, std::string_view body, std::size_t max_events) {
  auto outcomes = outcomes_for(body, max_events);
  std::size_t no_json = 0;
  std::string_view rest = pad(scratch, body);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (trimmed(line).empty()) continue;
    if (outcomes.size() == max_events) return too_many(max_events);
    auto document = open(scratch.parser, line);
    if (document.has_value()) {
      outcomes.push_back(read_event(*document, false));
    } else {
      ++no_json;
      outcomes.push_back({"", fail(Code::kInvalid, document.error().detail, "event")});
    }
  }
  if (no_json > 0 && no_json == outcomes.size()) return not_json("no line of it is");
  return outcomes;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<BodyKind> body_kind(std::string_view content_type) {
  std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  if (type.empty() || type == "application/json") return BodyKind::kJson;
  if (type == "application/cloudevents+json") return BodyKind::kStructured;
  if (type == "application/cloudevents-batch+json") return BodyKind::kBatch;
  if (type == "application/x-ndjson" || type == "application/ndjson" ||
      type == "application/jsonl") {
    return BodyKind::kNdjson;
  }
  return std::nullopt;
}

Result<std::vector<EventOutcome>> parse_events(std::string_view body, BodyKind kind,
                                               std::size_t max_events) {
  return with_scratch(body.size(), [&](Scratch& scratch) -> Outcomes {
    if (kind == BodyKind::kNdjson) return read_lines(scratch, body, max_events);
    return read_document(scratch, body, kind, max_events);
  });
}

Result<EventOutcome> event_from_binary(Headers headers, std::string_view content_type,
                                       std::string_view body) {
  EventDraft draft;
  if (!content_type.empty()) draft.attribute("datacontenttype", {JsonKind::kString, content_type});
  for (const auto& [name, value] : headers) {
    if (!name.starts_with("ce-")) continue;
    const std::string decoded = percent_decoded(value);
    draft.attribute(std::string_view(name).substr(3), {JsonKind::kString, decoded});
  }
  return with_scratch(body.size(), [&](Scratch& scratch) -> Result<EventOutcome> {
    auto document = open(scratch.parser, pad(scratch, body));
    if (!document.has_value()) return not_json(document.error().detail);
    ondemand::object object;
    if (document->get_object().get(object) == simdjson::SUCCESS) {
      read_data(draft, object);
    } else {
      draft.refuse("data", "must be a JSON object");
    }
    return std::move(draft).finish(true);
  });
}

}  // namespace millrace
