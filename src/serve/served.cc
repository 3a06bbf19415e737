#include "serve/served.h"

#include <algorithm>
#include <fmt/format.h>

namespace slipway::serve {

std::string Served::display() const { return version > 0 ? fmt::format("{}/{}", model, version) : model; }

std::string Served::version_text() const { return std::to_string(std::max(1, version)); }

void Served::record_outcome(int64_t time_ms, int64_t latency_us, bool ok) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  errors_.fetch_add(ok ? 0 : 1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (recent_.size() == kKept) {
    recent_.pop_front();
  }
  recent_.push_back({time_ms, latency_us, ok});
}

base::Json Served::outcomes(int64_t since_ms, bool with_latencies) const {
  std::vector<double> latencies;
  int64_t requests = 0;
  int64_t errors = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const Outcome& outcome : recent_) {
      if (outcome.time_ms >= since_ms) {
        ++requests;
        errors += outcome.ok ? 0 : 1;
        if (outcome.ok) {
          latencies.push_back(static_cast<double>(outcome.latency_us) / 1000);
        }
      }
    }
  }
  base::Json json = {{"requests", since_ms > 0 ? requests : requests_.load()},
                     {"errors", since_ms > 0 ? errors : errors_.load()}};
  if (with_latencies) {
    json["latencies_ms"] = latencies;
  }
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    json["p50_ms"] = latencies[latencies.size() / 2];
    json["p95_ms"] = latencies[latencies.size() * 95 / 100];
  }
  return json;
}

}  // namespace slipway::serve
