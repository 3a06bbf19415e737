// Wall-clock time as milliseconds since 1970 UTC, and monotonic seconds. Tests pass a FixedClock.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::base {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t unix_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t unix_ms() const override;
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(int64_t ms) : ms_(ms) {}
  int64_t unix_ms() const override { return ms_; }
  void advance(int64_t ms) { ms_ += ms; }

 private:
  int64_t ms_;
};

// Monotonic seconds since an arbitrary point.
double monotonic_seconds() noexcept;

// "2026-11-24T08:00:00.000Z".
std::string iso8601(int64_t unix_ms);

// "1.2 s", "3 min 4 s": for people.
std::string human_seconds(double seconds);

}  // namespace slipway::base
