#include "serving/surfaces/lists.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "processors/rankers/list.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/body_memo.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/list_feeds.h"
#include "state/digest.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMemoBytes = 8u << 20;
// Trends are read as of the beginning of such a span, so that a list in which nothing happens
// stays the same for a while, entity tag and all.
constexpr UnixMillis kSpanMs = 60'000;
constexpr std::int64_t kMaxDepth = 10'000;  // places from the top that pages reach
constexpr const char* kCacheControl = "public, max-age=1";

enum class Form { kJson, kJsonFeed, kAtom };

struct NamedList {
  std::string_view name;
  std::string_view algorithm;
  std::string_view title;
};
constexpr NamedList kLists[] = {
    {"popular", "popular", "Popular"},
    {"top-rated", "top_rated", "Top rated"},
    {"most-watched", "most_watched", "Most watched"},
    {"trending", "trending", "Trending"},
    {"rising", "rising", "Rising"},
    {"recent", "recent", "Recent"},
};

// What one request asks for.
struct Asked {
  const NamedList* list = nullptr;
  Form form = Form::kJson;
  std::string kind, category;
  std::size_t limit = 20;
  std::size_t from = 0;  // places to leave out
};

Result<std::size_t> from_param(const Request& request) {
  MILLRACE_TRY(const std::string place, cursor_param(request));
  std::size_t from = 0;
  if (place.empty()) return from;
  const auto* end = place.data() + place.size();
  const auto parsed = std::from_chars(place.data(), end, from);
  if (parsed.ec != std::errc() || parsed.ptr != end || from > kMaxDepth) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  return from;
}

Result<Asked> asked_for(const Request& request, Form form) {
  Asked asked;
  asked.form = form;
  const auto name = request.params.find("list");
  const auto list = std::find_if(std::begin(kLists), std::end(kLists), [&](const NamedList& one) {
    return name != request.params.end() && one.name == name->second;
  });
  if (list == std::end(kLists)) return fail(Code::kNotFound, "no list has this name");
  asked.list = list;
  MILLRACE_TRY(asked.kind, kind_param(request));
  MILLRACE_TRY(asked.category, name_param(request, "category"));
  MILLRACE_TRY(asked.limit, limit_param(request));
  MILLRACE_TRY(asked.from, from_param(request));
  return asked;
}

std::string key_of(const Asked& asked) {
  std::string key;
  key.reserve(96);
  key += asked.list->name;
  key += static_cast<char>('0' + static_cast<int>(asked.form));
  key += std::to_string(asked.limit);
  key += '+';
  key += std::to_string(asked.from);
  key += '|';
  key += asked.kind;
  key += '|';
  key += asked.category;
  return key;
}

struct Page {
  processors::ReadState read;
  std::vector<processors::Scored> items;
  bool more = false;
};

Result<Page> page_of(const Asked& asked, const Deps& deps, UnixMillis now) {
  Page page;
  MILLRACE_TRY(page.read, deps.engine->read({}));
  processors::Query query;
  query.kind = asked.kind;
  query.category = asked.category;
  query.limit = asked.from + asked.limit + 1;
  query.now = now;
  auto ranked = processors::find_ranker(asked.list->algorithm)->rank(query, page.read);
  page.more = ranked.items.size() == query.limit && asked.from + asked.limit <= kMaxDepth;
  if (ranked.items.size() == query.limit) ranked.items.pop_back();
  const auto skipped = std::min(asked.from, ranked.items.size());
  ranked.items.erase(ranked.items.begin(), ranked.items.begin() + static_cast<long>(skipped));
  page.items = std::move(ranked.items);
  return page;
}

std::string json_body(const Asked& asked, const Page& page, UnixMillis now) {
  std::string body;
  body.reserve((page.items.size() + 1) * 512);
  JsonWriter out(body);
  out.begin_object();
  out.member("list", asked.list->name);
  out.key("items");
  out.begin_array();
  for (const auto& scored : page.items) {
    const auto* item = page.read.catalog->find(scored.item);
    if (item == nullptr) continue;
    out.begin_object();
    append_item_view(out, *item, page.read, now);
    append_score(out, scored, false);
    out.end_object();
  }
  out.end_array();
  if (page.more) out.member("next_cursor", cursor_of(std::to_string(asked.from + asked.limit)));
  out.end_object();
  return body;
}

FeedDocument document_of(const Asked& asked, const Page& page, const Deps& deps,
                         const std::string& query) {
  FeedDocument document;
  document.title = asked.list->title;
  if (!asked.kind.empty()) document.title += ": " + asked.kind;
  if (!asked.category.empty()) document.title += ": " + asked.category;
  const std::string path = "/v1/lists/" + std::string(asked.list->name);
  document.path = path + query;
  document.self = path + (asked.form == Form::kAtom ? ".atom" : ".json-feed") + query;
  document.base = deps.options.public_url;
  document.made = deps.engine->catalog().log_time();
  for (const auto& scored : page.items) {
    const auto* item = page.read.catalog->find(scored.item);
    if (item != nullptr) document.items.push_back(item);
  }
  return document;
}

const char* content_type(Form form) {
  switch (form) {
    case Form::kJson: return "application/json";
    case Form::kJsonFeed: return "application/feed+json";
    case Form::kAtom: return "application/atom+xml";
  }
  return "application/json";
}

Result<std::string> render(const Asked& asked, const Deps& deps, UnixMillis now) {
  MILLRACE_TRY(const Page page, page_of(asked, deps, now));
  if (asked.form == Form::kJson) return json_body(asked, page, now);
  std::string query;
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    query += query.empty() ? '?' : '&';
    query += name;
    query += '=' + percent_encode(value);
  };
  add("kind", asked.kind);
  add("category", asked.category);
  const auto document = document_of(asked, page, deps, query);
  return asked.form == Form::kAtom ? atom_feed(document) : json_feed(document);
}

Reply get_list(const Request& request, const Deps& deps, Form form, BodyMemo& memo) {
  const auto asked = asked_for(request, form);
  if (!asked) return problem(asked.error());
  const UnixMillis span = deps.clock->now() / kSpanMs;
  // The version is read first: what is rendered then is at least that new.
  const auto version = state_version(deps, span);
  Error failure;
  const auto rendered = memo.get(key_of(*asked), version, [&]() -> std::optional<Rendered> {
    auto body = render(*asked, deps, span * kSpanMs);
    if (!body) {
      failure = body.error();
      return std::nullopt;
    }
    auto etag = '"' + state::row_digest({}, *body).text() + '"';
    return Rendered{std::move(*body), std::move(etag)};
  });
  if (!rendered) return problem(failure);
  Reply reply;
  reply.content_type = content_type(form);
  reply.body = rendered->body;
  reply.headers.emplace_back("ETag", rendered->etag);
  reply.headers.emplace_back("Cache-Control", kCacheControl);
  reply.headers.emplace_back("Vary", "X-Millrace-Position");
  return reply;
}

}  // namespace

std::vector<Route> list_routes(const Deps& deps) {
  const auto memo = std::make_shared<BodyMemo>(kMemoBytes, deps.metrics);
  const auto route = [&](const char* pattern, Form form) -> Route {
    const auto answer = [form, memo](const Request& request, const Deps& with) {
      return get_list(request, with, form, *memo);
    };
    return {"GET", pattern, Policy::kPublic,
            [deps, answer](const Request& request) { return when_visible(request, deps, answer); }};
  };
  return {route("/v1/lists/{list}", Form::kJson),
          route("/v1/lists/{list}.json-feed", Form::kJsonFeed),
          route("/v1/lists/{list}.atom", Form::kAtom)};
}

}  // namespace millrace::serving
