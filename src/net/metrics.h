// Counters, gauges and histograms for Prometheus. A family has a name, a help text and label names; a child is one set
// of label values. Updates are lock-free; finding a child takes a shared lock, so keep the reference (it stays valid as
// long as the registry). A family holds at most kMaxChildren sets; further ones share one child labelled "other". Any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"

namespace slipway::net {

class Counter {
 public:
  void add(double n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // rising upper bounds, +Inf not among them
  void observe(double value) noexcept;
  struct Snapshot {
    std::vector<uint64_t> cumulative;  // one a bound, then +Inf = count
    double sum = 0;
  };
  Snapshot snapshot() const;
  const std::vector<double>& bounds() const noexcept { return bounds_; }
  // The value below which a share q of the observations lies, by linear interpolation in its bucket; 0 without any.
  double quantile(double q) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

// 0.5 ms to 10 s in about 2.2-fold steps: latencies of requests.
std::vector<double> latency_bounds();

enum class Exposition { kText, kOpenMetrics };

class MetricRegistry;
// One of several registries that are told as one, and the labels that set its samples apart.
struct LabelledRegistry {
  const MetricRegistry* registry = nullptr;
  std::vector<std::pair<std::string, std::string>> labels = {};  // put before a sample's own
};

class MetricRegistry {
 public:
  static constexpr size_t kMaxChildren = 256;

  using LabelNames = std::vector<std::string>;
  using LabelValues = std::vector<std::string>;

  // The child of a family, made when it is new. `name` of a counter ends in "_total"; a name with a unit ends in it
  // ("_seconds", "_bytes"). Throws std::logic_error (our bug) when the name was registered with another type or labels,
  // or is not [a-zA-Z_:][a-zA-Z0-9_:]*.
  Counter& counter(std::string_view name, std::string_view help, const LabelNames& names = {},
                   const LabelValues& values = {});
  Gauge& gauge(std::string_view name, std::string_view help, const LabelNames& names = {},
               const LabelValues& values = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const LabelNames& names = {}, const LabelValues& values = {});
  // A gauge (a counter when the name ends in "_total") whose value is asked for at each scrape; `read` must be short,
  // safe from any thread, and outlive the registry's use.
  void callback(std::string_view name, std::string_view help, std::function<double()> read,
                const LabelNames& names = {}, const LabelValues& values = {});
  // Resident memory, CPU time, open files, start time of this process, in the names Prometheus clients use.
  void add_process_metrics();

  // Families in order of name. Text 0.0.4, or OpenMetrics 1.0 (counters named without _total in TYPE, "# EOF").
  std::string expose(Exposition format) const;
  // The exposition that the Accept header asks for, with its Content-Type.
  Response response(std::string_view accept) const;

 private:
  friend std::string expose(std::span<const LabelledRegistry> registries, Exposition format);
  enum class Type { kCounter, kGauge, kHistogram };
  struct Family;
  Family& family(std::string_view name, std::string_view help, Type type, const LabelNames& names);
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<Family>, std::less<>> families_;
};

// As MetricRegistry::expose and response, of several registries: each family once, with the samples of all. A family
// has the same type and help in all of them; the labels tell them apart.
std::string expose(std::span<const LabelledRegistry> registries, Exposition format);
Response metrics_response(std::span<const LabelledRegistry> registries, std::string_view accept);

}  // namespace slipway::net
