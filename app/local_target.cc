#include "app/local_target.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "serving/http/query.h"

namespace millrace::app {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Result<HttpReply> LocalTarget::send(const HttpRequest& request) {
  MILLRACE_TRY(const auto parts, serving::split_target(request.target));
  serving::Request inner;
  inner.method = request.method;
  inner.target = request.target;
  inner.path = parts.path;
  MILLRACE_TRY(inner.query, serving::parse_query(parts.query));
  for (const auto& [name, value] : request.headers) inner.headers.emplace_back(lower(name), value);
  inner.body = request.body;
  auto answer = node_->call(std::move(inner));
  HttpReply reply;
  reply.status = answer.status;
  reply.body = std::move(answer.body);
  reply.headers.emplace_back("content-type", answer.content_type);
  for (auto& [name, value] : answer.headers)
    reply.headers.emplace_back(lower(name), std::move(value));
  return reply;
}

}  // namespace millrace::app
