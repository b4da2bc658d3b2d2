#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Why something was turned away: a label of http_rejected_total.
enum class Rejection : std::uint8_t {
  kBadRequest,
  kHeadTooLarge,
  kTargetTooLong,
  kBodyTooLarge,
  kHeadTimeout,
  kBodyTimeout,
  kLaterTimeout,
  kSlowReader,
  kConnections,
  kConnectionsPerAddress,
  kInFlight,
  kBodyMemory,
  kNoDescriptors,
  kRate,
  kBlocked,
};
inline constexpr std::size_t kRejections = 15;

std::string_view rejection_name(Rejection rejection);
// Of a request that the parser refused with `status`.
Rejection rejection_of(int status);

// The HTTP metrics with their labels resolved beforehand, so that a request costs no look-up by
// text. Thread-safe.
class HttpMetrics {
 public:
  // `metrics` must outlive this object. The label of a route is its pattern.
  HttpMetrics(Metrics& metrics, const std::vector<Route>& routes);

  // Over all routes and statuses, since the start.
  static Counter& answers(Metrics& metrics);
  static Counter& answer_seconds(Metrics& metrics);

  static constexpr std::size_t kNoRoute = SIZE_MAX;  // label "none": nothing matched

  void count(std::size_t route, int status, double seconds);
  void count_exception(std::size_t route);
  void reject(Rejection rejection) { rejected_[static_cast<std::size_t>(rejection)]->inc(); }

  // Shown as gauges; shared with the scrape, which may come after this object is gone.
  struct Levels {
    std::atomic<std::int64_t> connections{0};
    std::atomic<std::int64_t> in_flight{0};
    std::atomic<std::int64_t> body_bytes{0};
  };
  Levels& levels() { return *levels_; }

 private:
  struct PerRoute {
    std::string label;
    Histogram* seconds = nullptr;
    Counter* exceptions = nullptr;
    std::array<std::atomic<Counter*>, 500> by_status{};  // 100 to 599, made on first use
  };
  PerRoute& at(std::size_t route) { return *routes_[std::min(route, routes_.size() - 1)]; }

  Metrics& metrics_;
  std::vector<std::unique_ptr<PerRoute>> routes_;  // the last is kNoRoute's
  Counter& answers_;
  Counter& answer_seconds_;
  std::array<Counter*, kRejections> rejected_{};
  std::shared_ptr<Levels> levels_ = std::make_shared<Levels>();
};

}  // namespace millrace::serving
