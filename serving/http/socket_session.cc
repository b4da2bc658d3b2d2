#include "serving/http/socket_session.h"

#include <algorithm>
#include <utility>

#include "serving/http/problem.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kKeyCharacters = 24;  // of 16 bytes in base64

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// One of the elements of a header's list.
bool lists(const Request& request, std::string_view name, std::string_view wanted) {
  for (const auto& [field, value] : request.headers) {
    if (field != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      auto element = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
      while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
      if (same(element, wanted)) return true;
    }
  }
  return false;
}

bool is_key(std::string_view key) {
  const auto in_alphabet = [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == kKeyCharacters && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, in_alphabet);
}

// A page of this server's own, or one that may read its answers. Programs send no Origin.
bool may_come_from(const Request& request, const Cors* cors) {
  const auto origin = request.header("origin");
  if (!origin || (cors != nullptr && cors->allows(*origin))) return true;
  const auto host = origin->find("://");
  return host != std::string_view::npos &&
         same(origin->substr(host + 3), request.header("host").value_or(""));
}

}  // namespace

bool asks_for_socket(const Request& request) { return lists(request, "upgrade", "websocket"); }

std::optional<Reply> refuse_handshake(const Request& request, const Cors* cors) {
  if (request.header("sec-websocket-version") != "13") {
    auto reply = problem(426, "The version of WebSocket must be 13.");
    reply.headers.emplace_back("Connection", "Upgrade");
    reply.headers.emplace_back("Upgrade", "websocket");
    reply.headers.emplace_back("Sec-WebSocket-Version", "13");
    return reply;
  }
  if (!lists(request, "connection", "upgrade") ||
      !is_key(request.header("sec-websocket-key").value_or(""))) {
    return problem({Code::kInvalid, "must be 16 bytes in base64, with Connection: Upgrade",
                    "Sec-WebSocket-Key"});
  }
  if (!may_come_from(request, cors)) {
    return problem({Code::kForbidden,
                    "pages of this origin may not connect: the operator allows them by "
                    "--cors-origin",
                    "Origin"});
  }
  return std::nullopt;
}

Reply switch_protocols(std::shared_ptr<SocketSession> session) {
  Reply reply;
  reply.status = 101;
  reply.socket = std::move(session);
  return reply;
}

}  // namespace millrace::serving
