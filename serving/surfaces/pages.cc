#include "serving/surfaces/pages.h"

#include <algorithm>
#include <utility>

#include "serving/surfaces/common.h"
#include "serving/surfaces/list_feeds.h"

namespace millrace::serving {
namespace {

constexpr std::int64_t kMaxPage = 1'000'000;

// The request's own address with another page.
std::string link_to(const Request& request, const Deps& deps, std::size_t page) {
  std::string link = deps.options.public_url + request.path + "?";
  for (const auto& [name, value] : request.query) {
    if (name != "page") link += percent_encode(name) + "=" + percent_encode(value) + "&";
  }
  return link + "page=" + std::to_string(page);
}

Reply no_page() { return problem({Code::kNotFound, "there are not so many pages", "page"}); }

}  // namespace

Result<PageQuery> page_query(const Request& request) {
  MILLRACE_TRY(const auto page, int_param(request, "page", 1, 1, kMaxPage));
  MILLRACE_TRY(const auto size, int_param(request, "page_size", 20, 1, kMaxLimit));
  return PageQuery{static_cast<std::size_t>(page), static_cast<std::size_t>(size)};
}

Reply page_reply(const Request& request, const Deps& deps, const PageQuery& query,
                 std::size_t count, const std::function<void(JsonWriter&, std::size_t)>& write) {
  if (query.page > 1 && query.first() >= count) return no_page();
  const std::size_t end = std::min(count, query.first() + query.size);
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("count", count);
  out.key("next");
  if (end < count) {
    out.value(link_to(request, deps, query.page + 1));
  } else {
    out.value(nullptr);
  }
  out.key("previous");
  if (query.page > 1) {
    out.value(link_to(request, deps, query.page - 1));
  } else {
    out.value(nullptr);
  }
  out.key("results");
  out.begin_array();
  for (std::size_t at = query.first(); at < end; ++at) write(out, at);
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Reply array_reply(const Request& request, const Deps& deps, const PageQuery& query,
                  std::size_t count, const std::function<void(JsonWriter&, std::size_t)>& write) {
  if (query.page > 1 && query.first() >= count) return no_page();
  const std::size_t end = std::min(count, query.first() + query.size);
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (std::size_t at = query.first(); at < end; ++at) write(out, at);
  out.end_array();
  auto reply = json_reply(std::move(body));
  std::string links;
  const auto link = [&](std::size_t page, const char* to) {
    links += (links.empty() ? "<" : ", <") + link_to(request, deps, page) + ">; rel=\"" + to + '"';
  };
  if (query.page > 1) link(query.page - 1, "prev");
  if (end < count) link(query.page + 1, "next");
  if (!links.empty()) reply.headers.emplace_back("Link", std::move(links));
  return reply;
}

}  // namespace millrace::serving
