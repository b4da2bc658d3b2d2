#include "serving/surfaces/rank_query.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "processors/rankers/matcher.h"
#include "schemas/rules.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxExcluded = 100;
constexpr std::size_t kMaxConditions = 8;
constexpr std::int64_t kMaxRestSeconds = 31'536'000;            // a year
constexpr std::int64_t kMaxSeed = (std::int64_t{1} << 53) - 1;  // what JSON's readers keep exact

tl::unexpected<Error> bad_filter(std::string_view condition) {
  return fail(Code::kInvalid,
              "'" + std::string(condition) +
                  "' must be tag:, category:, kind:, price_min:, price_max: or attr.NAME: with a "
                  "value behind it",
              "filter");
}

// Takes the text up to the next comma off the front of `rest`.
std::string_view next_of(std::string_view& rest) {
  const auto comma = rest.find(',');
  const auto first = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return first;
}

Status add_condition(processors::Filter& filter, std::string_view condition) {
  const auto colon = condition.find(':');
  if (colon == std::string_view::npos || colon + 1 == condition.size()) {
    return bad_filter(condition);
  }
  const auto name = condition.substr(0, colon);
  const std::string value(condition.substr(colon + 1));
  if (name == "price_min" || name == "price_max") {
    const auto price = processors::price_in_hundredths(value);
    if (!price) return bad_filter(condition);
    (name == "price_min" ? filter.price_min : filter.price_max) = price;
    return {};
  }
  if (name.starts_with("attr.") && name.size() > 5) {
    filter.attributes.emplace_back(name.substr(5), value);
    return {};
  }
  std::string* const slot = name == "tag"        ? &filter.tag
                            : name == "category" ? &filter.category
                            : name == "kind"     ? &filter.kind
                                                 : nullptr;
  if (slot == nullptr) return bad_filter(condition);
  if (!slot->empty() && *slot != value) {
    return fail(Code::kInvalid, "must name '" + std::string(name) + "' once", "filter");
  }
  *slot = value;
  return {};
}

Result<std::vector<ItemId>> excluded(const Request& request) {
  std::vector<ItemId> ids;
  for (const auto& [name, list] : request.query) {
    if (name != "exclude") continue;
    for (std::string_view rest = list; !rest.empty();) {
      const auto id = next_of(rest);
      if (!id.empty()) ids.emplace_back(std::string(id));
    }
  }
  if (ids.size() > kMaxExcluded) {
    return fail(Code::kInvalid, "must be at most 100 ids", "exclude");
  }
  return ids;
}

}  // namespace

Result<processors::Filter> parse_filter(std::string_view text) {
  processors::Filter filter;
  std::size_t conditions = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (++conditions > kMaxConditions) {
      return fail(Code::kInvalid, "must be at most 8 conditions", "filter");
    }
    MILLRACE_CHECK(add_condition(filter, next_of(rest)));
  }
  if (text.empty() || text.back() == ',') return bad_filter("");
  return filter;
}

Status feed_params(const Request& request, processors::Query& query) {
  if (request.query_value("in_a_row")) {
    MILLRACE_TRY(const auto most, int_param(request, "in_a_row", 0, 0, 100));
    query.in_a_row = static_cast<std::size_t>(most);
  }
  if (request.query_value("rest")) {
    MILLRACE_TRY(const auto seconds, int_param(request, "rest", 0, 0, kMaxRestSeconds));
    query.rest_ms = seconds * 1000;
  }
  return {};
}

namespace {

// ?diversity= and ?rotate=.
Status arrange_params(const Request& request, processors::Query& query) {
  if (const auto text = request.query_value("diversity")) {
    const char* const end = text->data() + text->size();
    const auto [read_to, error] = std::from_chars(text->data(), end, query.diversity);
    if (error != std::errc() || read_to != end || !(query.diversity >= 0 && query.diversity <= 1)) {
      return fail(Code::kInvalid, "must be a number from 0 to 1", "diversity");
    }
  }
  if (request.query_value("rotate")) {
    MILLRACE_TRY(const auto times, int_param(request, "rotate", 0, 0, 1'000));
    query.rotate_after = static_cast<std::uint32_t>(times);
  }
  return {};
}

}  // namespace

Result<processors::Query> rank_query(const Request& request) {
  processors::Query query;
  MILLRACE_TRY(query.limit, limit_param(request));
  MILLRACE_TRY(query.kind, kind_param(request));
  MILLRACE_TRY(query.category, name_param(request, "category"));
  MILLRACE_TRY(query.exclude, excluded(request));
  if (const auto filter = request.query_value("filter")) {
    MILLRACE_TRY(query.filter, parse_filter(*filter));
  }
  MILLRACE_TRY(query.explain, bool_param(request, "explain", false));
  if (const auto session = request.query_value("session")) {
    MILLRACE_CHECK(check_id(*session, "session"));
    query.session = *session;
  }
  MILLRACE_CHECK(feed_params(request, query));
  MILLRACE_CHECK(arrange_params(request, query));
  MILLRACE_TRY(const auto seed, int_param(request, "seed", 0, 0, kMaxSeed));
  query.seed = static_cast<std::uint64_t>(seed);
  return query;
}

Result<const processors::Ranker*> algorithm_param(const Request& request) {
  const auto name = request.query_value("algorithm").value_or("feed");
  const auto* ranker = processors::find_ranker(name);
  if (ranker != nullptr) return ranker;
  std::string known;
  for (const auto& one : processors::rankers()) {
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  }
  return fail(Code::kInvalid, "must be one of " + known, "algorithm");
}

}  // namespace millrace::serving
