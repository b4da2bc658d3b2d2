#include "serving/surfaces/engine_metrics.h"

#include <cstdint>
#include <memory>
#include <string>

#include "schemas/json_writer.h"
#include "serving/http/http_metrics.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/memo.h"

namespace millrace::serving {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMinutes = 60;
constexpr std::int64_t kDayMinutes = 24 * kHourMinutes;

// What has been counted since the process began. Made once, so that asking costs no look-up.
struct Counters {
  explicit Counters(Metrics& metrics)
      : answers(HttpMetrics::answers(metrics)),
        seconds(HttpMetrics::answer_seconds(metrics)),
        memos(metrics) {}
  Counter& answers;
  Counter& seconds;
  MemoCounters memos;
};

double share(double of, double in) { return in > 0 ? of / in : 0; }

// In the last `minutes`, the one at hand included.
state::AttributionCounts counts_of(const Deps& deps, std::int64_t minutes) {
  const auto now = static_cast<std::int32_t>(deps.clock->now() / kMinuteMs);
  state::AttributionCounts sum;
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    const auto& recent = deps.engine->store(p).recent_attribution();
    for (const auto& row : recent.read(now + 1 - static_cast<std::int32_t>(minutes), INT32_MAX)) {
      sum.served += row.counts.served;
      sum.clicked += row.counts.clicked;
    }
  }
  return sum;
}

Reply get_metrics(const Deps& deps, const Counters& counters) {
  const double answers = counters.answers.value();
  const double found = counters.memos.found.value();
  const auto hour = counts_of(deps, kHourMinutes);
  const auto day = counts_of(deps, kDayMinutes);
  const auto rate = [](const state::AttributionCounts& counts) {
    return share(static_cast<double>(counts.clicked), static_cast<double>(counts.served));
  };
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("performance");
  out.begin_object();
  out.member("total_requests", static_cast<std::uint64_t>(answers));
  out.member("average_latency_ms", share(counters.seconds.value() * 1000, answers));
  out.member("cache_hit_rate", share(found, found + counters.memos.missed.value()));
  out.member("active_users", deps.engine->views().recent_people().count(deps.clock->now()));
  out.end_object();
  out.key("realtime");
  out.begin_object();
  out.member("recommendations_served_last_hour", hour.served);
  out.member("clicks_last_hour", hour.clicked);
  out.member("ctr_last_hour", rate(hour));
  out.end_object();
  out.key("daily");
  out.begin_object();
  out.member("recommendations_served", day.served);
  out.member("recommendation_clicks", day.clicked);
  out.member("click_through_rate", rate(day));
  out.end_object();
  out.end_object();
  return json_reply(std::move(body));
}

}  // namespace

std::vector<Route> engine_metrics_routes(const Deps& deps) {
  const auto counters =
      deps.metrics == nullptr ? nullptr : std::make_shared<const Counters>(*deps.metrics);
  return {{"GET", "/api/performance-metrics/", Policy::kAdmin,
           [deps, counters](const Request& request) {
             return when_visible(request, deps, [counters](const Request&, const Deps& here) {
               return get_metrics(here, *counters);
             });
           }}};
}

}  // namespace millrace::serving
