#include <charconv>

#include "app/http_client.h"

namespace millrace::app {
namespace {

tl::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  return fail(Code::kInvalid, "\"" + std::string(text) + "\" " + std::string(why), "url");
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f || c == '@' || c == '?' || c == '#') return false;
  }
  return true;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, 8) == "https://") {
    return bad_url(text, "is https, which this client does not speak: use http:// to the server");
  }
  if (text.substr(0, kScheme.size()) != kScheme || !is_plain(text)) {
    return bad_url(text, "is no URL like http://127.0.0.1:8080");
  }
  std::string_view rest = text.substr(kScheme.size());
  Url url;
  std::string_view authority = rest.substr(0, rest.find('/'));
  url.prefix = rest.substr(authority.size());
  while (!url.prefix.empty() && url.prefix.back() == '/') url.prefix.pop_back();
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc{} || end != port.data() + port.size() || url.port == 0) {
      return bad_url(text, "has no port of 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']') {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty() || authority.find_first_of("[]") != authority.npos) {
    return bad_url(text, "names no host");
  }
  url.host = std::string(authority);
  return url;
}

std::string Url::authority() const {
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace millrace::app
