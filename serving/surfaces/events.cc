#include "serving/surfaces/events.h"

#include <algorithm>
#include <utility>

#include "schemas/event_json.h"
#include "schemas/json_writer.h"
#include "serving/http/problem.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

using ingest::Receipt;

void append_rejected(JsonWriter& out, const std::vector<ingest::Rejected>& rejected) {
  out.key("rejected");
  out.begin_array();
  for (const auto& one : rejected) {
    out.begin_object();
    out.member("index", one.index);
    out.member("id", one.id);
    out.member("field", one.error.field);
    out.member("error", one.error.detail);
    out.end_object();
  }
  out.end_array();
}

void append_minted(JsonWriter& out, const std::vector<ingest::Appended>& appended) {
  const auto minted = [](const auto& one) { return one.minted; };
  if (std::none_of(appended.begin(), appended.end(), minted)) return;
  out.key("ids");
  out.begin_array();
  for (const auto& one : appended) {
    if (!one.minted) continue;
    out.begin_object();
    out.member("index", one.index);
    out.member("id", one.id);
    out.end_object();
  }
  out.end_array();
}

Reply receipt_reply(const Receipt& receipt) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("accepted", receipt.appended.size());
  out.member("duplicates", receipt.duplicates);
  append_rejected(out, receipt.rejected);
  append_minted(out, receipt.appended);
  out.end_object();
  auto reply = json_reply(std::move(body), 200);
  set_position(reply, receipt.position);
  return reply;
}

// What apply made of the events that were appended: a second copy is a duplicate after all, and a
// record that its rule refused is rejected.
void settle(Receipt& receipt, const processors::Engine& engine) {
  std::erase_if(receipt.appended, [&](const ingest::Appended& appended) {
    const auto first = engine.store(appended.partition.index).first_seen(appended.identity);
    if (!first) return false;
    if (first->offset != appended.offset) {
      ++receipt.duplicates;
      return true;
    }
    if (first->verdict != state::Verdict::kDeadLetter) return false;
    receipt.rejected.push_back(
        {appended.index, appended.id,
         Error{Code::kInvalid, "refused when applied: see the dead letters", {}}});
    return true;
  });
  std::sort(receipt.rejected.begin(), receipt.rejected.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
}

bool is_binary(const Request& request) {
  return request.header("ce-specversion") || request.header("ce-type");
}

Result<std::vector<EventOutcome>> parse(const Request& request, BodyKind kind, const Deps& deps) {
  if (!is_binary(request)) return parse_events(request.body, kind, deps.options.max_events);
  const auto type = request.header("content-type").value_or(std::string_view());
  MILLRACE_TRY(auto event, event_from_binary(request.headers, type, request.body));
  std::vector<EventOutcome> one;
  one.push_back(std::move(event));
  return one;
}

// Events without an id take the request's Idempotency-Key: as it is when there is one event, with
// their place behind it when there are more, so that the whole request counts once however often it
// is sent.
void name_by_key(const std::string& key, std::vector<EventOutcome>& events) {
  if (key.empty()) return;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& event = events[i].event;
    if (!event || !event->id.empty()) continue;
    event->id = events.size() == 1 ? key : key + "#" + std::to_string(i);
  }
}

// Of the events that were waited for, now that they are applied or the time is up.
Reply settled_reply(Receipt receipt, bool applied, const Deps& deps) {
  if (applied) {
    settle(receipt, *deps.engine);
    return receipt_reply(receipt);
  }
  auto reply = problem({Code::kTimeout,
                        "the events are kept but not applied yet: ask with this position, or send "
                        "them again with the same ids",
                        {}});
  set_position(reply, receipt.position);
  return reply;
}

// Accounts send events for themselves, those who may ingest for everybody.
bool may_send(const Caller& caller, const std::vector<EventOutcome>& events) {
  return caller.may_ingest() || std::all_of(events.begin(), events.end(), [&](const auto& one) {
           return !one.event || caller.is(one.event->user.value);
         });
}

Answer post_events(const Request& request, const Deps& deps) {
  const bool wait = request.query_value("wait") == "applied";
  if (request.query_value("wait") && !wait) {
    return problem({Code::kInvalid, "must be applied", "wait"});
  }
  const auto key = idempotency_key(request);
  if (!key) return problem(key.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  const auto kind = body_kind(request.header("content-type").value_or(std::string_view()));
  if (!kind && !is_binary(request)) {
    return problem(415,
                   "send application/json, application/cloudevents+json, "
                   "application/cloudevents-batch+json or application/x-ndjson");
  }
  auto events = parse(request, kind.value_or(BodyKind::kJson), deps);
  if (!events) return problem(events.error());
  if (!may_send(request.caller, *events)) {
    return problem(
        {Code::kForbidden, "this credential sends events of its own account only", "data.user"});
  }
  name_by_key(*key, *events);
  return Later{[deps, wait, events = std::move(*events)](auto finish) mutable {
    deps.acceptor->accept(
        std::move(events), [deps, wait, finish = std::move(finish)](Result<Receipt> receipt) {
          if (!receipt) return finish([error = receipt.error()] { return problem(error); });
          if (!wait) return finish([r = std::move(*receipt)] { return receipt_reply(r); });
          const auto position = receipt->position;
          deps.engine->publisher().when_reached(
              position, deps.options.position_wait_ms,
              [deps, finish, receipt = std::move(*receipt)](bool reached) {
                finish([deps, receipt, reached] { return settled_reply(receipt, reached, deps); });
              });
        });
  }};
}

}  // namespace

std::vector<Route> event_routes(const Deps& deps) {
  return {{"POST", "/v1/events", Policy::kIngest,
           [deps](const Request& request) { return post_events(request, deps); }}};
}

}  // namespace millrace::serving
