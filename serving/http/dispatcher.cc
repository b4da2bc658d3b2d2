#include "serving/http/dispatcher.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "serving/http/encoding.h"
#include "serving/http/problem.h"
#include "serving/http/query.h"

namespace millrace::serving {
namespace {

Reply allow(int status, std::string methods) {
  Reply reply;
  if (status != 204) reply = problem(status, "This path does not have that method.");
  reply.status = status;
  reply.headers.emplace_back("Allow", std::move(methods));
  return reply;
}

// The answer where there is no route to call.
Reply without_route(const Request& request, const Router::Match& match) {
  if (match.allow.empty()) return problem(404, "There is nothing at this path.");
  return allow(request.method == "OPTIONS" ? 204 : 405, match.allow);
}

}  // namespace

Dispatcher::Dispatcher(Router router, Authorize authorize, std::size_t max_body_bytes,
                       HttpMetrics& metrics)
    : router_(std::move(router)),
      authorize_(std::move(authorize)),
      max_body_bytes_(max_body_bytes),
      metrics_(metrics) {}

Dispatcher::Outcome Dispatcher::dispatch(Request& request) const {
  auto parts = split_target(request.target);
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
  if (match->route == nullptr) return {without_route(request, *match)};
  request.params = std::move(match->params);
  auto query = parse_query(parts->query);
  if (query) request.query.swap(*query);
  try {
    if (authorize_) {
      std::optional<Reply> refusal = authorize_(request, *match->route);
      if (refusal) return {*std::move(refusal), match->index};
    }
    if (!query) return {problem(query.error()), match->index};
    return {serve(request, *match->route), match->index};
  } catch (const std::exception& error) {
    log_error("handler of " + match->route->pattern + " threw: " + error.what() + " (request " +
              std::string(request.header("x-request-id").value_or("-")) + ")");
  } catch (...) {
    log_error("handler of " + match->route->pattern + " threw something that is no exception");
  }
  metrics_.count_exception(match->index);
  return {problem(500, "The request could not be served; the log says why."), match->index};
}

Answer Dispatcher::serve(Request& request, const Route& route) const {
  const auto encoding = request.header("content-encoding");
  if (encoding && *encoding != "identity" && !encoding->empty()) {
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
  }
  return route.handler(request);
}

}  // namespace millrace::serving
