#include "serving/surfaces/attribution.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

constexpr UnixMillis kHourMs = 3'600'000;
constexpr std::int32_t kDayHours = 24;

struct Asked {
  std::int32_t from = 0, to = 0;  // hours since 1970, `to` not included
  std::int32_t step = 1;          // hours that one row stands for
  std::string algorithm;          // empty: all
};

Result<Asked> asked_of(const Request& request, UnixMillis now) {
  MILLRACE_TRY(const auto to, time_param(request, "to", now));
  MILLRACE_TRY(const auto from, time_param(request, "from", to - kDayHours * kHourMs));
  if (from > to) return fail(Code::kInvalid, "must not be later than to", "from");
  const auto by = text_param(request, "by");
  if (request.query_value("by") && by != "hour" && by != "day") {
    return fail(Code::kInvalid, "must be hour or day", "by");
  }
  Asked asked;
  asked.from = static_cast<std::int32_t>(std::max<UnixMillis>(0, from / kHourMs));
  asked.to = static_cast<std::int32_t>(std::min<UnixMillis>(to / kHourMs + 1, INT32_MAX));
  if (by == "day") asked.step = kDayHours;
  MILLRACE_TRY(asked.algorithm, name_param(request, "algorithm"));
  return asked;
}

Reply get_attribution(const Request& request, const Deps& deps) {
  const auto asked = asked_of(request, deps.clock->now());
  if (!asked) return problem(asked.error());
  std::map<std::pair<std::int32_t, std::string>, state::AttributionCounts> rows;
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    for (const auto& one : deps.engine->store(p).attribution().read(asked->from, asked->to)) {
      if (!asked->algorithm.empty() && one.algorithm != asked->algorithm) continue;
      auto& row = rows[{one.hour - one.hour % asked->step, one.algorithm}];
      row.served += one.counts.served;
      row.clicked += one.counts.clicked;
      row.acted += one.counts.acted;
    }
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("rows");
  out.begin_array();
  for (const auto& [key, counts] : rows) {
    out.begin_object();
    out.member("start", rfc3339(key.first * kHourMs));
    out.member("algorithm", key.second);
    out.member("served", counts.served);
    out.member("clicked", counts.clicked);
    out.member("acted", counts.acted);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

}  // namespace

std::vector<Route> attribution_routes(const Deps& deps) {
  return {{"GET", "/v1/admin/attribution", Policy::kAdmin, [deps](const Request& request) {
             return when_visible(request, deps, get_attribution);
           }}};
}

}  // namespace millrace::serving
