#include "serving/surfaces/common.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/http/problem.h"
#include "serving/surfaces/base64.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxKeyBytes = 128;

Position catalog_of(const Position& position) {
  Position catalog;
  const auto found = position.at().find(kCatalogPartition);
  if (found != position.at().end()) catalog.include(kCatalogPartition, found->second);
  return catalog;
}

}  // namespace

Reply json_reply(std::string body, int status) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply no_content() {
  Reply reply;
  reply.status = 204;
  reply.content_type.clear();
  return reply;
}

void set_position(Reply& reply, const Position& position) {
  if (!position.empty()) reply.headers.emplace_back("X-Millrace-Position", position.text());
}

Result<Position> asked_position(const Request& request, const Deps& deps) {
  Position position;
  for (const auto& text :
       {request.header("x-millrace-position"), request.query_value("position")}) {
    if (!text) continue;
    MILLRACE_TRY(const auto parsed, Position::parse(*text));
    position.include(parsed);
  }
  for (const auto& [partition, offset] : position.at()) {
    const bool known = partition.topic == Topic::kCatalog
                           ? partition.index == 0
                           : partition.index < deps.engine->partitions();
    const bool here = known && (offset < deps.log->end(partition) || deps.log->shared());
    if (!here) {
      return fail(Code::kInvalid, "is not in this server's log", "position");
    }
  }
  return position;
}

Answer when_reached(const Deps& deps, const Position& position, std::function<Reply()> answer) {
  auto& publisher = deps.engine->publisher();
  if (publisher.reached(position)) return answer();
  const int timeout_ms = deps.options.position_wait_ms;
  return Later{[&publisher, timeout_ms, position, answer = std::move(answer)](auto finish) {
    publisher.when_reached(position, timeout_ms,
                           [position, answer, finish = std::move(finish)](bool reached) {
                             if (reached) return finish(answer);
                             finish([position] { return not_yet(position); });
                           });
  }};
}

std::uint64_t state_version(const Deps& deps, std::int64_t span) {
  auto& publisher = deps.engine->publisher();
  auto version = static_cast<std::uint64_t>(publisher.visible(kCatalogPartition));
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    version += static_cast<std::uint64_t>(publisher.visible({Topic::kInteractions, p}));
  }
  return version + (static_cast<std::uint64_t>(span) << 36);
}

Answer behind_catalog(const Deps& deps, const Position& position, std::function<Answer()> next) {
  return Later{[deps, position, next = std::move(next)](auto finish) {
    deps.log->fresh_end(
        [deps, position, next, finish = std::move(finish)](const std::optional<Position>& end) {
          Position all = position;
          if (end) all.include(catalog_of(*end));
          deps.engine->publisher().when_reached(
              all, deps.options.position_wait_ms, [next, all, finish](bool reached) {
                finish_with(reached ? next() : Answer(not_yet(all)), finish);
              });
        });
  }};
}

void catch_up_with_catalog(const Deps& deps, std::function<void(bool)> then) {
  deps.log->fresh_end([deps, then = std::move(then)](const std::optional<Position>& end) {
    if (!end) return then(false);
    deps.engine->publisher().when_reached(catalog_of(*end), deps.options.position_wait_ms, then);
  });
}

void catch_up_with_log(const Deps& deps, std::function<void()> then) {
  deps.log->fresh_end([deps, then = std::move(then)](const std::optional<Position>& end) {
    deps.engine->publisher().when_reached(end.value_or(Position()), deps.options.position_wait_ms,
                                          [then](bool) { then(); });
  });
}

Answer command(const Deps& deps, CatalogRecord record,
               std::function<Reply(const Position&)> answer) {
  const auto id = record.command_id;
  std::vector<CatalogRecord> one;
  one.push_back(std::move(record));
  return commands(deps, std::move(one), id, std::move(answer));
}

Answer commands(const Deps& deps, std::vector<CatalogRecord> records, const std::string& id,
                std::function<Reply(const Position&)> answer) {
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  std::vector<ingest::Append> appends;
  appends.reserve(records.size());
  for (const auto& record : records) appends.push_back({kCatalogPartition, {}, encode(record)});
  return Later{[deps, id, appends = std::move(appends),
                answer = std::move(answer)](auto finish) mutable {
    deps.log->append(std::move(appends), [deps, id, answer, finish = std::move(finish)](
                                             ingest::AppendResult offsets) {
      if (!offsets) return finish([error = offsets.error()] { return problem(error); });
      Position position;
      position.include(kCatalogPartition, offsets->back());
      deps.engine->publisher().when_reached(
          position, deps.options.position_wait_ms, [id, position, answer, finish](bool reached) {
            finish([id, position, answer, reached] {
              Reply reply = reached ? answer(position) : outcome_unknown(id);
              set_position(reply, position);
              return reply;
            });
          });
    });
  }};
}

void finish_with(Answer answer, const std::function<void(Render)>& finish) {
  if (auto* reply = std::get_if<Reply>(&answer)) return finish(rendered(std::move(*reply)));
  std::get<Later>(answer).start(finish);
}

Render rendered(Reply reply) {
  return [reply = std::move(reply)] { return reply; };
}

Reply not_yet(const Position& position) {
  return problem({Code::kTimeout, "position " + position.text() + " is not visible yet: try again",
                  "position"});
}

Reply outcome_unknown(const std::string& command) {
  return problem({Code::kTimeout,
                  "outcome unknown: command " + command + " is in the log but not visible yet",
                  {}});
}

Result<std::string> idempotency_key(const Request& request) {
  const auto key = request.header("idempotency-key");
  if (!key) return std::string();
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  if (key->empty() || key->size() > kMaxKeyBytes ||
      !std::all_of(key->begin(), key->end(), visible)) {
    return fail(Code::kInvalid, "must be 1 to 128 visible ASCII characters", "Idempotency-Key");
  }
  return std::string(*key);
}

Result<std::string> command_id(const Request& request, const Deps& deps) {
  MILLRACE_TRY(const std::string key, idempotency_key(request));
  if (key.empty()) return deps.ids->mint();
  const auto caller = request.caller.account.value;
  return (caller == 0 ? "" : std::to_string(caller) + " ") + request.method + " " + request.path +
         " " + key;
}

std::optional<Reply> refuse_writes(const Deps& deps) {
  const auto failure = deps.engine->failure();
  if (failure.empty()) return std::nullopt;
  return problem({Code::kUnavailable, "writes are refused for now: " + failure, {}});
}

Result<std::int64_t> int_param(const Request& request, std::string_view name, std::int64_t fallback,
                               std::int64_t least, std::int64_t most) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (text->empty() || parsed.ec != std::errc() || parsed.ptr != end || value < least ||
      value > most) {
    return fail(
        Code::kInvalid,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most),
        std::string(name));
  }
  return value;
}

Result<bool> bool_param(const Request& request, std::string_view name, bool fallback) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  if (*text == "true" || *text == "1") return true;
  if (*text == "false" || *text == "0") return false;
  return fail(Code::kInvalid, "must be true or false", std::string(name));
}

Result<std::int64_t> time_param(const Request& request, std::string_view name,
                                std::int64_t fallback) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  std::int64_t millis = 0;
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, millis);
  if (!text->empty() && parsed.ec == std::errc() && parsed.ptr == end && millis >= 0) return millis;
  if (const auto time = parse_rfc3339(*text)) return *time;
  return fail(Code::kInvalid, "must be an RFC 3339 time or milliseconds since 1970",
              std::string(name));
}

std::string text_param(const Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(std::string_view()));
}

Result<std::string> name_param(const Request& request, std::string_view name) {
  auto text = text_param(request, name);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if ((text.empty() && request.query_value(name)) || text.size() > kMaxNameBytes ||
      std::any_of(text.begin(), text.end(), control)) {
    return fail(Code::kInvalid, "must be 1 to 128 bytes without control characters",
                std::string(name));
  }
  return text;
}

Result<std::string> kind_param(const Request& request) {
  auto text = text_param(request, "kind");
  if (request.query_value("kind") && !is_kind(text)) {
    return fail(Code::kInvalid, "must be 1 to 32 of a-z 0-9 _ -", "kind");
  }
  return text;
}

Result<std::size_t> limit_param(const Request& request) {
  MILLRACE_TRY(const auto limit, int_param(request, "limit", 20, 1, kMaxLimit));
  return static_cast<std::size_t>(limit);
}

std::string cursor_of(std::string_view place) { return base64url(place); }

Result<std::string> cursor_param(const Request& request) {
  const auto text = request.query_value("cursor");
  if (!text) return std::string();
  auto place = from_base64url(*text);
  if (!place || place->empty()) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  return *std::move(place);
}

Result<std::string> id_param(const Request& request, std::string_view name) {
  const auto found = request.params.find(name);
  std::string id = found == request.params.end() ? std::string() : found->second;
  MILLRACE_CHECK(check_id(id, name));
  return id;
}

}  // namespace millrace::serving
