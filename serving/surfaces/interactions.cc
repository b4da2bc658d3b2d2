#include "serving/surfaces/interactions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "schemas/account.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/tracked.h"
#include "state/history.h"

namespace millrace::serving {
namespace {

constexpr std::array<std::string_view, 9> kTypes = {"like", "dislike",  "save", "share", "skip",
                                                    "play", "complete", "rate", "view"};
constexpr std::int64_t kMaxRows = 1'000;
constexpr std::int64_t kMaxOffset = 1'000'000'000;
constexpr std::int64_t kMaxSeconds = 10'000'000;
constexpr std::size_t kMaxMoodCharacters = 50;
constexpr UnixMillis kDayMs = 86'400'000;

bool is_type(std::string_view name) {
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

tl::unexpected<Error> bad_type() {
  return fail(Code::kInvalid,
              "must be like, dislike, save, share, skip, play, complete, rate or view",
              "interactionType");
}

// ---- tracking

// Text, or a number's digits. Empty: not given.
Result<std::string> id_in(const JsonBody& body, const char* name) {
  const Json* given = body.find(name);
  if (given == nullptr) return std::string();
  if (given->kind != JsonKind::kString && given->kind != JsonKind::kNumber) {
    return fail(Code::kInvalid, "must be text or a number", name);
  }
  MILLRACE_CHECK(check_id(given->text, name));
  return given->text;
}

// Whose interaction it is: the caller's own, anybody's for admins and services.
Result<UserId> user_in(const JsonBody& body, const Caller& caller) {
  MILLRACE_TRY(std::string user, id_in(body, "userId"));
  if (user.empty() && caller.account.value != 0) return user_of(caller.account);
  if (user.empty()) return fail(Code::kInvalid, "is required", "userId");
  if (!caller.may_ingest() && !caller.is(user)) {
    return fail(Code::kForbidden, "only admins and services track for others");
  }
  return UserId(std::move(user));
}

Status take_mood(const JsonBody& body, Event& event) {
  MILLRACE_TRY(const auto mood, body.line("moodAtInteraction", 4 * kMaxMoodCharacters));
  event.mood = mood.value_or(std::string());
  const auto characters = std::count_if(event.mood.begin(), event.mood.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
  if (static_cast<std::size_t>(characters) > kMaxMoodCharacters) {
    return fail(Code::kInvalid, "must be at most 50 characters", "moodAtInteraction");
  }
  MILLRACE_TRY(const auto intensity, body.integer("moodIntensityAtInteraction", 1, 10));
  if (intensity) event.mood_intensity = static_cast<std::uint32_t>(*intensity);
  return {};
}

Result<Event> event_in(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  Event event;
  event.source = state::kTrackedSource;
  MILLRACE_TRY(event.user, user_in(body, request.caller));
  MILLRACE_TRY(const auto content, id_in(body, "contentId"));
  if (content.empty()) return fail(Code::kInvalid, "is required", "contentId");
  event.item = ItemId(item_of_content(content));
  MILLRACE_CHECK(check_id(event.item.value, "contentId"));
  MILLRACE_TRY(event.type, body.required_line("interactionType", 64));
  if (!is_type(event.type)) return bad_type();
  MILLRACE_TRY(const auto value, body.integer("interactionValue", 1, 10));
  const bool stars = event.type == "rate";
  if (value) event.value_centi = static_cast<std::int32_t>(*value) * (stars ? 50 : 100);
  if (stars && !value) return fail(Code::kInvalid, "is required to rate", "interactionValue");
  MILLRACE_CHECK(take_mood(body, event));
  MILLRACE_TRY(const auto seconds, body.integer("interactionDurationSeconds", 0, kMaxSeconds));
  if (seconds) event.duration_s = static_cast<std::uint32_t>(*seconds);
  MILLRACE_TRY(const auto context, body.text("context", kMaxTextBytes));
  MILLRACE_TRY(const auto notes, body.text("notes", kMaxTextBytes));
  event.context = context.value_or(std::string());
  event.notes = notes.value_or(std::string());
  return event;
}

Result<std::optional<Tracked>> find_row(const Event& event, const Deps& deps) {
  TrackedQuery query;
  query.type = event.type;
  MILLRACE_TRY(auto rows, tracked_by(event.user.value, query, deps));
  for (auto& row : rows) {
    if (item_of_content(row.content) == event.item.value) return std::move(row);
  }
  return std::nullopt;
}

Answer track(const Request& request, const Deps& deps) {
  auto event = event_in(request);
  if (!event) return problem(event.error());
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  const auto before = find_row(*event, deps);
  if (!before) return problem(before.error());
  const int status = *before ? 200 : 201;
  return act(deps, *event, *key, [deps, event = *event, status] {
    const auto row = find_row(event, deps);
    if (!row) return problem(row.error());
    if (!*row) return problem({Code::kNotFound, "it has been erased since", {}});
    std::string body;
    JsonWriter out(body);
    append_tracked(out, event.user.value, **row, true);
    return json_reply(std::move(body), status);
  });
}

// ---- reading

// A time, or a day: its beginning, or its end.
Result<UnixMillis> date_param(const Request& request, std::string_view name, UnixMillis fallback,
                              bool end) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  if (const auto time = parse_rfc3339(*text)) return *time;
  if (const auto day = parse_rfc3339(std::string(*text) + "T00:00:00Z")) {
    return end ? *day + kDayMs - 1 : *day;
  }
  return fail(Code::kInvalid, "must be an ISO 8601 date, or a date and time with its offset",
              std::string(name));
}

Result<TrackedQuery> tracked_query(const Request& request) {
  TrackedQuery query;
  query.type = text_param(request, "interactionType");
  MILLRACE_TRY(query.all, bool_param(request, "all", false));
  const bool known =
      query.type.empty() ? !request.query_value("interactionType") : is_type(query.type);
  if (!known) return bad_type();
  MILLRACE_TRY(query.from, date_param(request, "startDate", INT64_MIN, false));
  MILLRACE_TRY(query.to, date_param(request, "endDate", INT64_MAX, true));
  if (query.from > query.to)
    return fail(Code::kInvalid, "must not lie before startDate", "endDate");
  return query;
}

Result<std::vector<Tracked>> rows_for(const Request& request, const Deps& deps) {
  MILLRACE_TRY(const auto user, id_param(request, "user"));
  MILLRACE_TRY(const auto query, tracked_query(request));
  return tracked_by(user, query, deps);
}

Reply get_history(const Request& request, const Deps& deps) {
  const auto limit = int_param(request, "limit", 50, 1, kMaxRows);
  if (!limit) return problem(limit.error());
  const auto offset = int_param(request, "offset", 0, 0, kMaxOffset);
  if (!offset) return problem(offset.error());
  const auto rows = rows_for(request, deps);
  if (!rows) return problem(rows.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("total", rows->size());
  out.member("limit", *limit);
  out.member("offset", *offset);
  out.key("interactions");
  out.begin_array();
  const auto end = std::min(rows->size(), static_cast<std::size_t>(*offset + *limit));
  for (auto at = static_cast<std::size_t>(*offset); at < end; ++at) {
    append_tracked(out, request.params.find("user")->second, (*rows)[at], true);
  }
  out.end_array();
  out.end_object();
  return personal(json_reply(std::move(body)));
}

// "+02:00", "-05:30" or "Z": milliseconds to add to UTC.
Result<std::int64_t> utc_offset_param(const Request& request) {
  const auto text = text_param(request, "utcOffset");
  if (!request.query_value("utcOffset")) return 0;
  // The time of day that is midnight in UTC says how far the zone is ahead.
  const auto there = parse_rfc3339("2000-01-02T00:00:00" + text);
  const auto here = parse_rfc3339("2000-01-02T00:00:00Z");
  if (!there) return fail(Code::kInvalid, "must be like +02:00, -05:30 or Z", "utcOffset");
  return *here - *there;
}

Reply get_patterns(const Request& request, const Deps& deps) {
  const auto utc_offset = utc_offset_param(request);
  if (!utc_offset) return problem(utc_offset.error());
  const auto rows = rows_for(request, deps);
  if (!rows) return problem(rows.error());
  return personal(json_reply(patterns_body(*rows, *utc_offset)));
}

Reply get_export(const Request& request, const Deps& deps) {
  const auto format = request.query_value("format").value_or("json");
  if (format != "json" && format != "csv") {
    return problem({Code::kInvalid, "must be json or csv", "format"});
  }
  const auto mood = bool_param(request, "includeMoodData", true);
  if (!mood) return problem(mood.error());
  const auto rows = rows_for(request, deps);
  if (!rows) return problem(rows.error());
  const auto& user = request.params.find("user")->second;
  Reply reply;
  if (format == "csv") {
    reply.content_type = "text/csv; charset=utf-8";
    reply.body = tracked_csv(user, *rows, *mood);
  } else {
    JsonWriter out(reply.body);
    out.begin_array();
    for (const auto& row : *rows) append_tracked(out, user, row, *mood);
    out.end_array();
  }
  reply.headers.emplace_back("Content-Disposition",
                             "attachment; filename=\"interactions." + std::string(format) + "\"");
  return personal(std::move(reply));
}

}  // namespace

std::vector<Route> interaction_routes(const Deps& deps) {
  const auto read = [&deps](Reply (*answer)(const Request&, const Deps&)) -> Handler {
    return [deps, answer](const Request& request) { return when_visible(request, deps, answer); };
  };
  return {{"POST", "/interactions/track", Policy::kIngest,
           [deps](const Request& request) { return track(request, deps); }},
          {"GET", "/interactions/history/{user}", Policy::kSelfOrAdmin, read(get_history)},
          {"GET", "/interactions/patterns/{user}", Policy::kSelfOrAdmin, read(get_patterns)},
          {"GET", "/interactions/export/{user}", Policy::kSelfOrAdmin, read(get_export)}};
}

}  // namespace millrace::serving
