// A token bucket: so many units a minute, with bursts of up to a minute's worth. It refills continuously and may be
// overdrawn: what is only known afterwards (the tokens of an answer) is paid back before anything else passes, so the
// long-run rate is the nominal one (RFC 2697 has the meter; here a debt is allowed). Time is in seconds from any fixed
// point. One thread at a time.
#pragma once

#include <algorithm>

namespace slipway::net {

class TokenBucket {
 public:
  // Full at `now`. per_minute > 0.
  TokenBucket(double per_minute, double now) : per_minute_(per_minute), level_(per_minute), time_(now) {}

  double per_minute() const noexcept { return per_minute_; }
  // Below zero: a debt.
  double level(double now) noexcept {
    if (now > time_) {
      level_ = std::min(per_minute_, level_ + (now - time_) * per_minute_ / 60);
      time_ = now;
    }
    return level_;
  }
  void take(double units, double now) noexcept { level_ = level(now) - units; }
  // Seconds until the level reaches `wanted`; 0 when it does already.
  double seconds_until(double wanted, double now) noexcept {
    return std::max(0.0, (wanted - level(now)) * 60 / per_minute_);
  }
  // Another rate from now on; what was used stays used.
  void set_rate(double per_minute, double now) noexcept {
    const double used = per_minute_ - level(now);
    per_minute_ = per_minute;
    level_ = per_minute - used;
  }

 private:
  double per_minute_;
  double level_;
  double time_;
};

}  // namespace slipway::net
