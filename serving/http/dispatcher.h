#pragma once
#include <cstddef>
#include <string>

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

  // `metrics` must outlive this object. `max_body_bytes` bounds an unpacked body.
  Dispatcher(Router router, Authorize authorize, std::size_t max_body_bytes, HttpMetrics& metrics);

  // Fills path, query and params of `request`, and replaces a gzipped body. Answers come in the
  // order 404 or 405 (of the path, which is public), 401, 403, 400, and what the handler says. A
  // handler that throws is a 500.
  Outcome dispatch(Request& request) const;

 private:
  Answer serve(Request& request, const Route& route) const;

  Router router_;
  Authorize authorize_;
  std::size_t max_body_bytes_;
  HttpMetrics& metrics_;
};

}  // namespace millrace::serving
