#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace millrace {

using Labels = std::map<std::string, std::string>;

// Handles stay valid as long as their Metrics. All methods are thread-safe and wait-free.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void inc(double by = 1) = 0;
  virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual double value() const = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

// Upper bounds in seconds from 0.1 ms to 10 s, for latencies.
std::vector<double> latency_buckets();

// The process's metrics in Prometheus' terms. Asking twice for one name and label set gives the
// same handle. Names follow research/streaming.md 5.5: counters end in _total, units are base
// units. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {},
                       const std::vector<double>& buckets = latency_buckets());

  // `refresh` runs at the start of every text(), to set gauges that are read rather than pushed.
  void on_scrape(std::function<void()> refresh);

  // The text exposition format, version 0.0.4.
  std::string text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
