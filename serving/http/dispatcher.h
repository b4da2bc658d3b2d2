#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "serving/http/http_metrics.h"
#include "serving/http/message.h"
#include "serving/http/options.h"
#include "serving/http/router.h"

namespace millrace::serving {

// From a parsed request to an answer: takes the target apart, finds the route, asks who may,
// unpacks a gzipped body, calls the handler. No socket. Thread-safe.
class Dispatcher {
 public:
  struct Outcome {
    Answer answer;
    std::size_t route = HttpMetrics::kNoRoute;
  };

  struct Checks {
    Authorize authorize = nullptr;  // null: everything is open
    CatchUp catch_up = nullptr;     // null: nobody else makes things
    std::shared_ptr<Gate> gate;     // null: everybody comes in
  };
  // Requests that wait for catch_up may hold so much; beyond: 503.
  static constexpr std::size_t kMaxHeldBytes = 16u << 20;

  // `metrics` must outlive this object, and knows its routes from `first_route` on.
  // `max_body_bytes` bounds an unpacked body.
  Dispatcher(Router router, Checks checks, std::size_t max_body_bytes, HttpMetrics& metrics,
             std::size_t first_route = 0);

  // Fills path, query, params, caller, limit and cors of `request`, and replaces a gzipped body.
  // Answers come in the order 429, 403 of a blocked address (from which only admins come in), 404
  // or 405 (of the path, which is public), 429 of the route's allowance, 401, 403, 400, and what
  // the handler says. The gate does not stand before /health, /ready and /metrics. A handler that
  // throws is a 500. A handler's 404 and a bad credential's 401 stand only behind catch_up: the
  // request is served once more. Where that is not to be had a 401 becomes a 503.
  Outcome dispatch(Request& request) const;
  // An answer as its route's surface says errors. Whoever sends an answer, or a refusal of a
  // request that was not dispatched, asks for it last.
  Reply in_form(const Request& request, Reply reply) const;
  // The request's route is to be asked on its head.
  bool streams(const Request& request) const;

 private:
  // How far a request has come before it is served.
  struct Entry {
    std::optional<Reply> refusal;  // it does not come in
    std::optional<Reply> blocked;  // unless an admin sends it
    bool admitted = false;         // within its caller's limit, too
    bool last = false;             // a credential that is none now is none
    const Error* bad_query = nullptr;
  };
  Entry enter(Request& request, std::string_view path) const;
  Reply without_route(const Request& request, const Router::Match& match) const;
  std::optional<Reply> refuse(Request& request, const Route& route, Entry entry) const;
  Answer serve(Request& request, const Router::Match& match, Entry entry) const;
  Answer handle(Request& request, const Route& route) const;
  Answer serve_again(const Request& request, const Router::Match& match, Reply first) const;

  Router router_;
  Checks checks_;
  // Shared with requests that wait, which may outlive this.
  std::shared_ptr<std::atomic<std::size_t>> held_bytes_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::size_t max_body_bytes_;
  HttpMetrics& metrics_;
  const std::size_t first_route_;
};

}  // namespace millrace::serving
