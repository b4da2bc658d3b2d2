#include "serving/http/dispatcher.h"

#include <exception>
#include <memory>
#include <utility>

#include "base/log.h"
#include "serving/http/encoding.h"
#include "serving/http/problem.h"
#include "serving/http/query.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kRequestBytes = 4096;  // what a request takes that waits, beside its body

Reply allow(int status, std::string methods) {
  Reply reply;
  if (status != 204) reply = problem(status, "This path does not have that method.");
  reply.status = status;
  reply.headers.emplace_back("Allow", std::move(methods));
  return reply;
}

// What tells machines how the server is must be told to them always.
bool is_probe(std::string_view path) {
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path == "/health" || path == "/ready" || path == "/metrics";
}

bool sends_credential(const Request& request) {
  for (const auto* name : {"authorization", "x-api-key", kSecretHeader, kSecretHeaderOfProxies}) {
    if (request.header(name)) return true;
  }
  return request.query_value("ticket").has_value();
}

// What a node that lags behind might say of something that there is.
bool may_be_elsewhere(const Answer& answer, const Request& request) {
  const auto* reply = std::get_if<Reply>(&answer);
  if (reply == nullptr) return false;
  if (reply->status == 404) return true;
  return reply->status == 401 && sends_credential(request);
}

}  // namespace

Dispatcher::Dispatcher(Router router, Checks checks, std::size_t max_body_bytes,
                       HttpMetrics& metrics, std::size_t first_route)
    : router_(std::move(router)),
      checks_(std::move(checks)),
      max_body_bytes_(max_body_bytes),
      metrics_(metrics),
      first_route_(first_route) {}

Dispatcher::Entry Dispatcher::enter(Request& request, std::string_view path) const {
  // The connection's last request left these behind.
  request.caller = {};
  request.limit = {};
  request.cors = checks_.gate ? checks_.gate->cors().lines(request) : nullptr;
  Entry entry;
  entry.last = !checks_.catch_up;
  if (!checks_.gate || is_probe(path)) return entry;
  entry.refusal = checks_.gate->admit(request);
  if (entry.refusal) {
    metrics_.reject(Rejection::kRate);
  } else {
    entry.blocked = checks_.gate->refuse_blocked(request);
  }
  return entry;
}

// The answer where there is no route to call.
Reply Dispatcher::without_route(const Request& request, const Router::Match& match) const {
  if (match.allow.empty()) {
    if (checks_.gate) checks_.gate->failed(request.address);
    return problem(404, "There is nothing at this path.");
  }
  if (request.method != "OPTIONS") return allow(405, match.allow);
  auto reply = allow(204, match.allow);
  if (checks_.gate) checks_.gate->cors().answer_preflight(request, match.allow, reply);
  return reply;
}

// Who is blocked must prove to be an admin, who could otherwise not end a block of their own.
std::optional<Reply> Dispatcher::refuse(Request& request, const Route& route, Entry entry) const {
  std::optional<Reply> refusal;
  if (checks_.authorize) refusal = checks_.authorize(request, route);
  if (checks_.gate && entry.last && !entry.blocked && refusal && refusal->status == 401 &&
      sends_credential(request)) {
    checks_.gate->failed(request.address);
  }
  if (entry.blocked && !request.caller.admin()) {
    metrics_.reject(Rejection::kBlocked);
    return std::move(entry.blocked);
  }
  if (refusal || !checks_.gate || entry.admitted) return refusal;
  refusal = checks_.gate->admit_caller(request);
  if (refusal) metrics_.reject(Rejection::kRate);
  return refusal;
}

Dispatcher::Outcome Dispatcher::dispatch(Request& request) const {
  auto parts = split_target(request.target);
  auto entry = enter(request, parts ? parts->path : std::string_view());
  if (entry.refusal) return {*std::move(entry.refusal)};
  if (!parts) return {problem(parts.error())};
  if (parts->path == "*") {
    if (request.method != "OPTIONS") return {problem(400, "'*' is a target of OPTIONS only.")};
    return {allow(204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")};
  }
  auto path = percent_decode(parts->path, Plus::kIsPlus);
  if (!path) return {problem(path.error())};
  request.path = *std::move(path);
  auto match = router_.match(request.method, parts->path);
  if (!match) return {problem(match.error())};
  if (match->route == nullptr) {
    if (entry.blocked) metrics_.reject(Rejection::kBlocked);
    return {entry.blocked ? *std::move(entry.blocked) : without_route(request, *match)};
  }
  if (checks_.gate) {
    auto refusal = checks_.gate->admit_route(request, match->route->allowance);
    if (refusal) {
      metrics_.reject(Rejection::kRate);
      return {*std::move(refusal), first_route_ + match->index};
    }
  }
  request.params = std::move(match->params);
  auto query = parse_query(parts->query);
  if (query) request.query.swap(*query);
  entry.bad_query = query ? nullptr : &query.error();
  auto answer = serve(request, *match, std::move(entry));
  if (checks_.catch_up && may_be_elsewhere(answer, request)) {
    return {serve_again(request, *match, std::get<Reply>(std::move(answer))),
            first_route_ + match->index};
  }
  return {std::move(answer), first_route_ + match->index};
}

bool Dispatcher::streams(const Request& request) const {
  const auto parts = split_target(request.target);
  if (!parts) return false;
  const auto match = router_.match(request.method, parts->path);
  return match && match->route != nullptr && match->route->streams;
}

Reply Dispatcher::in_form(const Request& request, Reply reply) const {
  if (reply.content_type != kProblemType) return reply;
  const auto parts = split_target(request.target);
  const auto match = parts ? router_.match(request.method, parts->path) : Router::Match();
  if (!match) return reply;
  const Route* route = match->route != nullptr ? match->route : match->beside;
  return route != nullptr && route->errors != nullptr ? route->errors(std::move(reply)) : reply;
}

Answer Dispatcher::serve(Request& request, const Router::Match& match, Entry entry) const {
  try {
    const auto* bad_query = entry.bad_query;
    auto refusal = refuse(request, *match.route, std::move(entry));
    if (refusal) return *std::move(refusal);
    if (bad_query != nullptr) return problem(*bad_query);
    return handle(request, *match.route);
  } catch (const std::exception& error) {
    log_error("handler of " + match.route->pattern + " threw: " + error.what() + " (request " +
              std::string(request.header("x-request-id").value_or("-")) + ")");
  } catch (...) {
    log_error("handler of " + match.route->pattern + " threw something that is no exception");
  }
  metrics_.count_exception(first_route_ + match.index);
  return problem(500, "The request could not be served; the log says why.");
}

Answer Dispatcher::serve_again(const Request& request, const Router::Match& match,
                               Reply first) const {
  Entry again;
  again.admitted = first.status != 401;
  again.last = true;
  if (first.status == 401) {
    first = problem(
        {Code::kUnavailable, "whether this credential is good cannot be said now: try again", {}});
  }
  const auto bytes = request.body.size() + kRequestBytes;
  if (*held_bytes_ + bytes > kMaxHeldBytes) return first;
  *held_bytes_ += bytes;
  // Whoever lets go of the answer gives back what it held.
  const std::shared_ptr<Request> held(new Request(request),
                                      [bytes, counted = held_bytes_](const Request* done) {
                                        *counted -= bytes;
                                        delete done;
                                      });
  held->caller = {};
  return Later{[this, held, match, again, first](std::function<void(Render)> finish) {
    checks_.catch_up([this, held, match, again, first, finish = std::move(finish)](bool caught_up) {
      auto answer = caught_up ? serve(*held, match, again) : Answer(first);
      if (auto* later = std::get_if<Later>(&answer)) return later->start(finish);
      finish([reply = std::get<Reply>(std::move(answer))] { return reply; });
    });
  }};
}

Answer Dispatcher::handle(Request& request, const Route& route) const {
  const auto encoding = request.header("content-encoding");
  if (encoding && *encoding != "identity" && !encoding->empty()) {
    if (route.streams) return problem(415, "This body is taken without Content-Encoding only.");
    if (*encoding != "gzip" && *encoding != "x-gzip") {
      Reply reply = problem(415, "The only Content-Encoding accepted is gzip.");
      reply.headers.emplace_back("Accept-Encoding", "gzip");
      return reply;
    }
    auto text = gunzip(request.body, max_body_bytes_);
    if (!text) {
      if (text.error().code == Code::kTooLarge) metrics_.reject(Rejection::kBodyTooLarge);
      return problem(text.error());
    }
    request.body = *std::move(text);
    std::erase_if(request.headers,
                  [](const auto& header) { return header.first == "content-encoding"; });
  }
  return route.handler(request);
}

}  // namespace millrace::serving
