#include "serving/http/http_metrics.h"

#include <algorithm>

namespace millrace::serving {

std::string_view rejection_name(Rejection rejection) {
  switch (rejection) {
    case Rejection::kBadRequest: return "bad_request";
    case Rejection::kHeadTooLarge: return "head_too_large";
    case Rejection::kTargetTooLong: return "target_too_long";
    case Rejection::kBodyTooLarge: return "body_too_large";
    case Rejection::kHeadTimeout: return "head_timeout";
    case Rejection::kBodyTimeout: return "body_timeout";
    case Rejection::kLaterTimeout: return "later_timeout";
    case Rejection::kSlowReader: return "slow_reader";
    case Rejection::kConnections: return "connections";
    case Rejection::kConnectionsPerAddress: return "connections_per_address";
    case Rejection::kInFlight: return "in_flight";
    case Rejection::kBodyMemory: return "body_memory";
    case Rejection::kNoDescriptors: return "no_descriptors";
    case Rejection::kRate: return "rate";
    case Rejection::kBlocked: return "blocked";
  }
  return "unknown";
}

Rejection rejection_of(int status) {
  switch (status) {
    case 413: return Rejection::kBodyTooLarge;
    case 414: return Rejection::kTargetTooLong;
    case 431: return Rejection::kHeadTooLarge;
    default: return Rejection::kBadRequest;
  }
}

Counter& HttpMetrics::answers(Metrics& metrics) {
  return metrics.counter("http_answers_total", "Requests answered, of all routes.");
}

Counter& HttpMetrics::answer_seconds(Metrics& metrics) {
  return metrics.counter("http_answer_seconds_total", "From whole requests to their answers.");
}

HttpMetrics::HttpMetrics(Metrics& metrics, const std::vector<Route>& routes)
    : metrics_(metrics), answers_(answers(metrics)), answer_seconds_(answer_seconds(metrics)) {
  std::vector<std::string> labels;
  for (const Route& route : routes) labels.push_back(route.pattern);
  labels.emplace_back("none");
  for (std::string& label : labels) {
    auto entry = std::make_unique<PerRoute>();
    entry->seconds = &metrics.histogram("http_request_duration_seconds",
                                        "From a whole request to its answer.", {{"route", label}});
    entry->exceptions = &metrics.counter("http_handler_exceptions_total", "Handlers that threw.",
                                         {{"route", label}});
    entry->label = std::move(label);
    routes_.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < kRejections; ++i) {
    rejected_[i] =
        &metrics.counter("http_rejected_total", "Requests and connections turned away.",
                         {{"reason", std::string(rejection_name(static_cast<Rejection>(i)))}});
  }
  Gauge& connections = metrics.gauge("http_connections", "Open connections.");
  Gauge& in_flight = metrics.gauge("http_requests_in_flight", "Answers that are waited for.");
  Gauge& body_bytes = metrics.gauge("http_body_bytes", "Bytes of request bodies held.");
  metrics.on_scrape([levels = levels_, &connections, &in_flight, &body_bytes] {
    connections.set(static_cast<double>(levels->connections.load()));
    in_flight.set(static_cast<double>(levels->in_flight.load()));
    body_bytes.set(static_cast<double>(levels->body_bytes.load()));
  });
}

void HttpMetrics::count(std::size_t route, int status, double seconds) {
  PerRoute& entry = at(route);
  const auto slot = static_cast<std::size_t>(std::clamp(status, 100, 599) - 100);
  Counter* counter = entry.by_status[slot].load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.counter("http_requests_total", "Requests answered.",
                                {{"route", entry.label}, {"code", std::to_string(slot + 100)}});
    entry.by_status[slot].store(counter, std::memory_order_release);
  }
  counter->inc();
  entry.seconds->observe(seconds);
  answers_.inc();
  answer_seconds_.inc(seconds);
}

void HttpMetrics::count_exception(std::size_t route) { at(route).exceptions->inc(); }

}  // namespace millrace::serving
