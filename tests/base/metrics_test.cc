#include "base/metrics.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Metrics, AskingTwiceGivesTheSameHandle) {
  Metrics metrics;
  metrics.counter("events_applied_total", "Events applied.", {{"partition", "0"}}).inc();
  metrics.counter("events_applied_total", "Events applied.", {{"partition", "0"}}).inc(2);
  EXPECT_NE(metrics.text().find("events_applied_total{partition=\"0\"} 3"), std::string::npos);
}

TEST(Metrics, ScrapeRefreshesGauges) {
  Metrics metrics;
  auto& gauge = metrics.gauge("disk_free_bytes", "Free bytes.");
  metrics.on_scrape([&gauge] { gauge.set(7); });
  EXPECT_NE(metrics.text().find("disk_free_bytes 7"), std::string::npos);
}

}  // namespace
}  // namespace millrace
