#include "serving/surfaces/assets.h"

#include <algorithm>
#include <utility>

#include "serving/http/encoding.h"
#include "serving/surfaces/common.h"
#include "state/digest.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxAssetBytes = 8 * 1024 * 1024;

std::string version_of(const std::vector<Asset>& files) {
  std::string all;
  for (const auto& file : files) all += file.bytes();
  return state::row_digest({}, all).text();
}

}  // namespace

Assets::Assets(std::string_view prefix, std::vector<Asset> files)
    : files_(std::move(files)),
      version_(version_of(files_)),
      address_(std::string(prefix) + version_ + "/") {}

Reply Assets::get(const Request& request) const {
  const std::string& name = request.params.find("file")->second;
  const auto asset = std::find_if(files_.begin(), files_.end(),
                                  [&](const Asset& one) { return one.name == name; });
  if (asset == files_.end() || request.params.find("version")->second != version_ ||
      asset->bytes().empty()) {
    return problem({Code::kNotFound, "this version of the server has no such file", {}});
  }
  Reply reply;
  reply.content_type = asset->type;
  reply.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                   {"Vary", "Accept-Encoding"},
                   {"X-Content-Type-Options", "nosniff"}};
  if (accepts_gzip(request.header("accept-encoding").value_or(std::string_view()))) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body = asset->bytes();
    return reply;
  }
  auto body = gunzip(asset->bytes(), kMaxAssetBytes);
  if (!body) return problem(body.error());
  reply.body = *std::move(body);
  return reply;
}

Reply revalidated(std::string type, std::string body) {
  Reply reply;
  reply.content_type = std::move(type);
  reply.headers = {{"ETag", '"' + state::row_digest({}, body).text() + '"'},
                   {"Cache-Control", "no-cache"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = std::move(body);
  return reply;
}

Reply page_reply(const Page& page) {
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  html.append(page.title).append("</title>\n").append(page.head);
  html.append("<body>\n").append(page.body).append("</html>\n");
  Reply reply = revalidated("text/html; charset=utf-8", std::move(html));
  reply.headers.emplace_back("Content-Security-Policy", page.content_security_policy);
  return reply;
}

}  // namespace millrace::serving
