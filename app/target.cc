#include "app/target.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "schemas/json_value.h"

namespace millrace::app {
namespace {

Code code_of(int status) {
  switch (status) {
    case 401: return Code::kUnauthorized;
    case 403: return Code::kForbidden;
    case 404: return Code::kNotFound;
    case 409: return Code::kConflict;
    case 413: return Code::kTooLarge;
    case 429: return Code::kExhausted;
    case 503: return Code::kUnavailable;
    default: return status < 500 ? Code::kInvalid : Code::kInternal;
  }
}

// Why the same request may do better later; nothing when it will not.
std::optional<std::string> worth_again(const Result<HttpReply>& reply) {
  if (!reply.has_value()) return reply.error().detail;
  if (reply->status == 429 || reply->status == 503) return error_of(*reply).detail;
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> retry_after(const Result<HttpReply>& reply) {
  const std::string* text = reply.has_value() ? reply->header("retry-after") : nullptr;
  if (text == nullptr) return std::nullopt;
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

Result<HttpReply> Target::get(const std::string& path) { return send({"GET", path, {}, {}}); }

Result<HttpReply> Target::post(const std::string& path, const std::string& content_type,
                               std::string body, const HeaderList& headers) {
  HttpRequest request{"POST", path, headers, std::move(body)};
  request.headers.emplace_back("Content-Type", content_type);
  return send(request);
}

Error error_of(const HttpReply& reply) {
  Error error{code_of(reply.status), "status " + std::to_string(reply.status), {}};
  const auto json = parse_json(reply.body);
  if (!json.has_value()) return error;
  for (const auto* name : {"title", "detail", "error"}) {
    const Json* said = json->find(name);
    if (said != nullptr && said->kind == JsonKind::kString) error.detail += ": " + said->text;
  }
  const Json* field = json->find("field");
  if (field != nullptr && field->kind == JsonKind::kString) error.field = field->text;
  return error;
}

HttpTarget::HttpTarget(Url url, const std::string& token, RetryPolicy retry, HttpTimeouts timeouts)
    : url_(url), token_(token), retry_(std::move(retry)), client_(std::move(url), timeouts) {}

std::string HttpTarget::name() const { return "http://" + url_.authority() + url_.prefix; }

Result<HttpReply> HttpTarget::send(const HttpRequest& request) {
  HttpRequest authorized = request;
  if (!token_.empty()) authorized.headers.emplace_back("Authorization", "Bearer " + token_);
  auto wait = retry_.first;
  std::chrono::milliseconds waited{0};
  for (;;) {
    auto reply = client_.exchange(authorized);
    const auto why = worth_again(reply);
    if (!why || waited >= retry_.give_up_after) return reply;
    const auto asked = std::max(retry_after(reply).value_or(wait), std::chrono::milliseconds(1));
    const auto pause = std::min(asked, retry_.give_up_after - waited);
    if (retry_.may_wait && !retry_.may_wait(pause, *why)) return reply;
    std::this_thread::sleep_for(pause);
    waited += pause;
    wait = std::min(wait * 2, retry_.longest);
  }
}

}  // namespace millrace::app
