#include "app/authorize.h"

#include <optional>
#include <string_view>

#include "serving/http/problem.h"

namespace millrace::app {
namespace {

// Takes as long for a wrong text as for the right one of that length.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

std::optional<std::string_view> credential(const serving::Request& request) {
  if (const auto key = request.header("x-api-key")) return key;
  const auto header = request.header("authorization");
  if (!header) return std::nullopt;
  for (const std::string_view scheme : {"Bearer ", "Token "}) {
    if (header->starts_with(scheme)) return header->substr(scheme.size());
  }
  return std::string_view();
}

}  // namespace

serving::Authorize authorize_with(const std::string& admin_token) {
  if (admin_token.empty()) return nullptr;
  return [admin_token](const serving::Request& request,
                       const serving::Route& route) -> std::optional<serving::Reply> {
    if (route.policy == serving::Policy::kPublic) return std::nullopt;
    const auto given = credential(request);
    if (given && same(*given, admin_token)) return std::nullopt;
    auto reply = serving::problem(
        {Code::kUnauthorized,
         given ? "this credential is not known" : "send the admin token: Authorization: Bearer …",
         {}});
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  };
}

}  // namespace millrace::app
