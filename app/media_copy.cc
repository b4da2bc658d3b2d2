#include "app/media_copy.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "app/http_client.h"

namespace millrace::app {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kPart = std::uint64_t{4} << 20;

Result<std::string> part_of(HttpClient& client, const std::string& target, std::uint64_t from,
                            std::uint64_t end) {
  HttpRequest request;
  request.target = target;
  request.headers = {{"Range", "bytes=" + std::to_string(from) + "-" + std::to_string(end - 1)},
                     {"X-Millrace-Node", "copies"}};
  MILLRACE_TRY(auto reply, client.exchange(request));
  if (reply.status != 206 || reply.body.size() != end - from) {
    return fail(Code::kUnavailable, "it answers " + std::to_string(reply.status));
  }
  return std::move(reply.body);
}

}  // namespace

Status copy_media(const std::vector<serving::NodeView>& nodes, std::uint64_t number,
                  const serving::MediaRef& media,
                  const std::function<Status(std::string_view)>& take) {
  auto others = nodes;
  std::erase_if(others, [](const auto& node) { return node.self || node.record.url.empty(); });
  std::stable_partition(others.begin(), others.end(),
                        [&](const auto& node) { return node.record.id == media.node; });
  const auto target = "/media/videos/" + std::to_string(number) + ".mp4";
  std::uint64_t done = 0;
  std::string said = "no other node is known";
  for (const auto& node : others) {
    const auto url = Url::parse(node.record.url);
    if (!url) continue;
    HttpClient client(*url, {seconds(2), seconds(20)});
    while (done < media.bytes) {
      const auto end = std::min(media.bytes, done + kPart);
      const auto part = part_of(client, target, done, end);
      if (!part) {
        said = "node " + node.record.id + ": " + part.error().detail;
        break;
      }
      MILLRACE_CHECK(take(*part));
      done = end;
    }
    if (done == media.bytes) return {};
  }
  return fail(Code::kUnavailable, said);
}

}  // namespace millrace::app
