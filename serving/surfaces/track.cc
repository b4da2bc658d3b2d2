#include "serving/surfaces/track.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/account.h"
#include "schemas/partitioner.h"
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
constexpr std::int64_t kMaxSeconds = 10'000'000;
constexpr std::size_t kMaxMoodCharacters = 50;

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

Result<Event> event_in(const JsonBody& body, const Caller& caller) {
  Event event;
  event.source = state::kTrackedSource;
  MILLRACE_TRY(event.user, user_in(body, caller));
  MILLRACE_TRY(const auto content, id_in(body, "contentId"));
  if (content.empty()) return fail(Code::kInvalid, "is required", "contentId");
  event.item = ItemId(item_of_content(content));
  MILLRACE_CHECK(check_id(event.item.value, "contentId"));
  MILLRACE_TRY(event.type, body.required_line("interactionType", 64));
  if (!is_tracked_type(event.type))
    return fail(Code::kInvalid, kTrackedTypeRule, "interactionType");
  MILLRACE_TRY(const auto value, body.integer("interactionValue", 1, 10));
  const bool stars = event.type == "rate";  // half of what the seed counts in
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

// What became of one interaction.
struct Outcome {
  int status = 0;
  Tracked tracked;
  std::optional<Error> error;
};

Outcome outcome_of(const Event& event, const Deps& deps) {
  const auto& store = deps.engine->store(partition_of(event.user.value, deps.engine->partitions()));
  const auto first = store.first_seen(state::identity_of(event.user.value, event.source, event.id));
  if (first && first->verdict != state::Verdict::kApplied) {
    return {400, {}, Error{Code::kInvalid, "refused when applied: see the dead letters", {}}};
  }
  const auto reader = store.tracked(event.user.value);
  if (!reader) return {http_status(reader.error().code), {}, reader.error()};
  const auto row = reader->find(deps.engine->table()->find(event.type)->number, event.item.value);
  if (!row) return {http_status(row.error().code), {}, row.error()};
  if (!*row) return {404, {}, Error{Code::kNotFound, "it has been erased since", {}}};
  const bool made = first && first->offset == (*row)->id;
  return {made ? 201 : 200, {**row, event.item.value}, {}};
}

// Interactions of one request on their way through the log, in its order.
struct Batch {
  std::vector<Result<Event>> events;  // or why it is none

  std::vector<Outcome> outcomes(const Deps& deps) const {
    std::vector<Outcome> all;
    for (const auto& event : events) {
      all.push_back(event ? outcome_of(*event, deps)
                          : Outcome{http_status(event.error().code), {}, event.error()});
    }
    return all;
  }
  std::vector<EventOutcome> accepted() const {
    std::vector<EventOutcome> all;
    for (const auto& event : events) {
      if (event) all.push_back({event->id, *event});
    }
    return all;
  }
  // Puts in what the receipt says of those that were sent.
  void settle(const ingest::Receipt& receipt) {
    std::vector<Result<Event>*> sent;
    for (auto& event : events) {
      if (event) sent.push_back(&event);
    }
    for (const auto& appended : receipt.appended) (*sent[appended.index])->id = appended.id;
    for (const auto& rejected : receipt.rejected) {
      *sent[rejected.index] = tl::unexpected<Error>(rejected.error);
    }
  }
};

// One append; `answer` is asked once all of them are visible.
Answer append(const Deps& deps, std::shared_ptr<Batch> batch,
              std::function<Reply(const Batch&)> answer) {
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  return Later{[deps, batch, answer = std::move(answer)](auto finish) {
    const auto told = [deps, batch, answer,
                       finish = std::move(finish)](Result<ingest::Receipt> receipt) {
      if (!receipt) return finish(rendered(problem(receipt.error())));
      batch->settle(*receipt);
      deps.engine->publisher().when_reached(
          receipt->position, deps.options.position_wait_ms,
          [batch, answer, finish, position = receipt->position](bool reached) {
            finish([batch, answer, position, reached] {
              Reply reply = reached ? answer(*batch) : not_yet(position);
              set_position(reply, position);
              return reply;
            });
          });
    };
    deps.acceptor->accept(batch->accepted(), told);
  }};
}

void append_outcome(JsonWriter& out, std::size_t index, const Outcome& outcome,
                    const std::string& user, const Deps& deps) {
  out.begin_object();
  out.member("index", index);
  out.member("status", outcome.status);
  if (outcome.error) {
    out.member("field", outcome.error->field);
    out.member("error", outcome.error->detail);
  } else {
    out.key("interaction");
    TrackedPrinter(deps, user, true).append_json(out, outcome.tracked);
  }
  out.end_object();
}

Reply bulk_reply(const Batch& batch, const Deps& deps) {
  const auto outcomes = batch.outcomes(deps);
  const auto tracked = std::count_if(outcomes.begin(), outcomes.end(),
                                     [](const auto& outcome) { return !outcome.error; });
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("tracked", tracked);
  out.member("failed", static_cast<std::ptrdiff_t>(outcomes.size()) - tracked);
  out.key("results");
  out.begin_array();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& event = batch.events[i];
    append_outcome(out, i, outcomes[i], event ? event->user.value : std::string(), deps);
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Result<Event> event_of(const Json& element, const Caller& caller) {
  MILLRACE_TRY(const auto body, JsonBody::of(element));
  return event_in(body, caller);
}

}  // namespace

bool is_tracked_type(std::string_view name) {
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

Answer track(const Request& request, const Deps& deps) {
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  auto event = event_in(*body, request.caller);
  if (!event) return problem(event.error());
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  event->id = *key;
  const auto batch = std::make_shared<Batch>();
  batch->events.push_back(std::move(event));
  return append(deps, batch, [deps](const Batch& sent) {
    const auto outcome = sent.outcomes(deps).front();
    if (outcome.error) return problem(*outcome.error);
    std::string out;
    JsonWriter json(out);
    TrackedPrinter(deps, sent.events.front()->user.value, true).append_json(json, outcome.tracked);
    return json_reply(std::move(out), outcome.status);
  });
}

Answer track_bulk(const Request& request, const Deps& deps) {
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  const Json* rows = body->find("interactions");
  if (rows == nullptr || rows->kind != JsonKind::kArray || rows->elements.empty()) {
    return problem({Code::kInvalid, "must be a list of interactions", "interactions"});
  }
  if (rows->elements.size() > deps.options.max_events) {
    return problem({Code::kInvalid,
                    "must be at most " + std::to_string(deps.options.max_events) + " interactions",
                    "interactions"});
  }
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  const auto batch = std::make_shared<Batch>();
  for (const auto& row : rows->elements) {
    auto event = event_of(row, request.caller);
    if (event && !key->empty()) event->id = *key + '#' + std::to_string(batch->events.size());
    batch->events.push_back(std::move(event));
  }
  return append(deps, batch, [deps](const Batch& sent) { return bulk_reply(sent, deps); });
}

}  // namespace millrace::serving
