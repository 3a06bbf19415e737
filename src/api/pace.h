// Whether a route answers so quickly that handing its requests to another thread costs more than answering them: the switches
// there and back take some 50 us of CPU time. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace slipway::api {

class Pace {
 public:
  using Duration = std::chrono::nanoseconds;
  // What may hold up a network thread.
  static constexpr Duration kQuick = std::chrono::microseconds(500);

  // False at first, and after a slow answer until a dozen of quick ones have followed: what is slow is slow a few times in a row.
  bool quick() const noexcept { return expected_.load(std::memory_order_relaxed) < kQuick.count(); }
  // An answer took so long. Of two at a time one may be lost.
  void took(Duration time) noexcept {
    const int64_t expected = expected_.load(std::memory_order_relaxed);
    expected_.store(std::max<int64_t>(time.count(), expected - expected / 8), std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> expected_ = 4 * kQuick.count();  // ns
};

}  // namespace slipway::api
