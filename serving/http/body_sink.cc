#include "serving/http/body_sink.h"

#include <utility>

#include "serving/http/problem.h"

namespace millrace::serving {

Answer take_whole(BodySink& sink, std::string body) {
  if (body.size() > sink.max_bytes()) return problem(413, "the body is too large");
  if (!body.empty()) sink.take(std::move(body), [] {});
  return sink.finish();
}

}  // namespace millrace::serving
