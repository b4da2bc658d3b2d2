#include "serving/surfaces/live.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "schemas/json_value.h"
#include "schemas/rfc3339.h"
#include "serving/http/gate.h"
#include "serving/http/socket_session.h"
#include "serving/live/hub.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxReason = 123;  // bytes of a closing frame's text

// Its listener's place at the hub, as long as the connection has it.
class Seat {
 public:
  Seat(LiveHub& hub, std::shared_ptr<LiveListener> listener)
      : hub_(hub), listener_(std::move(listener)) {}
  ~Seat() { hub_.leave(listener_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  LiveHub& hub() const { return hub_; }
  const std::shared_ptr<LiveListener>& listener() const { return listener_; }
  void stop() { listener_->end({kGoingAway, "the server is stopping"}); }

 private:
  LiveHub& hub_;
  const std::shared_ptr<LiveListener> listener_;
};

// ---- Server-Sent Events

class EventStream : public BodyStream {
 public:
  EventStream(LiveHub& hub, std::shared_ptr<LiveListener> listener)
      : seat_(hub, std::move(listener)) {}

  void next(Give give) override {
    if (seat_.listener()->ended()) return give(std::string());
    seat_.listener()->next([give = std::move(give)](LiveListener::Piece piece) {
      if (piece.end) {
        piece.bytes += "event: end\ndata: ";
        JsonWriter out(piece.bytes);
        out.begin_object();
        out.member("event", "end");
        out.member("code", piece.end->code);
        out.member("reason", piece.end->reason);
        out.end_object();
        piece.bytes += "\n\n";
      }
      give(std::move(piece.bytes));
    });
  }
  void stop() override { seat_.stop(); }

 private:
  Seat seat_;
};

// ---- WebSocket

// {"user": "1", "type": ["like", "save"]} as the parameters that it stands for.
Result<Parameters> parameters_in(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || json->kind != JsonKind::kObject) {
    return fail(Code::kInvalid, "must be a JSON object of filters", "message");
  }
  Parameters parameters;
  for (const auto& [name, value] : json->members) {
    const auto* values = value.kind == JsonKind::kArray ? &value.elements : nullptr;
    for (std::size_t i = 0; i < (values == nullptr ? 1 : values->size()); ++i) {
      const auto& one = values == nullptr ? value : (*values)[i];
      if (one.kind != JsonKind::kString && one.kind != JsonKind::kNumber) {
        return fail(Code::kInvalid, "must be text, or a list of it", name);
      }
      parameters.emplace_back(name, one.text);
    }
  }
  return parameters;
}

class Socket : public SocketSession {
 public:
  Socket(LiveHub& hub, std::shared_ptr<LiveListener> listener,
         std::shared_ptr<const InteractionTable> table)
      : seat_(hub, std::move(listener)), table_(std::move(table)) {}

  SocketLimits limits() const override {
    const auto& options = seat_.hub().options();
    return {options.message_bytes, std::chrono::milliseconds(2 * options.heartbeat_ms)};
  }
  void next(Give give) override {
    seat_.listener()->next([give = std::move(give)](LiveListener::Piece piece) {
      if (piece.end) return give({piece.end->reason, piece.end->code});
      give({std::move(piece.bytes)});
    });
  }
  std::optional<Message> received(std::string_view text) override {
    const auto parameters = parameters_in(text);
    if (!parameters) return refuse(parameters.error());
    auto filter = live_filter(*parameters, seat_.listener()->caller(), *table_);
    if (!filter) return refuse(filter.error());
    seat_.hub().change(seat_.listener(), *std::move(filter));
    return std::nullopt;
  }
  void stop() override { seat_.stop(); }

 private:
  static Message refuse(const Error& error) {
    return {(error.field + ": " + error.detail).substr(0, kMaxReason), kBadFilter};
  }

  Seat seat_;
  const std::shared_ptr<const InteractionTable> table_;
};

// ---- the endpoints

// Whose ticket it is; without one, who sent the request.
Result<Caller> caller_by(const Request& request, const Deps& deps) {
  const auto ticket = request.query_value("ticket");
  if (!ticket) return request.caller;
  const auto accounts = deps.engine->catalog().accounts();
  auto caller = deps.live->tickets().redeem(*ticket, *accounts, deps.clock->now());
  if (!caller && caller.error().code == Code::kUnauthorized && deps.gate != nullptr) {
    deps.gate->failed(request.address);
  }
  return caller;
}

// The last event that the client knows of: EventSource says it by itself.
Result<std::optional<Position>> after_in(const Request& request) {
  const auto header = request.header("last-event-id");
  const auto text = header ? header : request.query_value("after");
  if (!text) return std::nullopt;
  auto position = Position::parse(*text);
  if (position) return std::optional(*std::move(position));
  return fail(Code::kInvalid, "must be a position that an earlier message gave",
              header ? "Last-Event-ID" : "after");
}

Reply listen(const Request& request, const Deps& deps) {
  const bool socket = asks_for_socket(request);
  if (socket) {
    const Cors* cors = deps.gate == nullptr ? nullptr : &deps.gate->cors();
    if (auto refusal = refuse_handshake(request, cors)) return *std::move(refusal);
  }
  const auto caller = caller_by(request, deps);
  if (!caller) return problem(caller.error());
  if (!caller->open && caller->account.value == 0 && !caller->may_read()) {
    return problem({Code::kForbidden, "this credential does not allow that", {}});
  }
  auto filter = live_filter(request.query, *caller, *deps.engine->table());
  if (!filter) return problem(filter.error());
  const auto after = after_in(request);
  if (!after) return problem(after.error());
  Reply reply;
  reply.content_type = "text/event-stream";
  reply.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  if (request.method == "HEAD") return reply;
  auto listener = deps.live->listen(*caller, *std::move(filter),
                                    socket ? LiveForm::kSocket : LiveForm::kEventStream, *after);
  if (!listener) return problem(listener.error());
  if (socket) {
    return switch_protocols(
        std::make_shared<Socket>(*deps.live, *std::move(listener), deps.engine->table()));
  }
  reply.stream = std::make_shared<EventStream>(*deps.live, *std::move(listener));
  return reply;
}

Reply issue_ticket(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto ticket = deps.live->tickets().issue(request.caller, *accounts, deps.clock->now());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("ticket", ticket.text);
  out.member("expires", rfc3339(ticket.expires));
  out.end_object();
  auto reply = json_reply(std::move(body), 201);
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

}  // namespace

std::vector<Route> live_routes(const Deps& deps) {
  return {{"GET", "/v1/live", Policy::kListen,
           [deps](const Request& request) -> Answer { return listen(request, deps); }},
          {"POST", "/v1/live/tickets", Policy::kUser,
           [deps](const Request& request) -> Answer { return issue_ticket(request, deps); }}};
}

}  // namespace millrace::serving
