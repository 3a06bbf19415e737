// Passwords that clients send with every request (HTTP Basic): checked once by the slow hash, remembered under a keyed
// digest; and how often somebody may be wrong. Any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/token_bucket.h"

namespace slipway::api {

class PasswordCheck {
 public:
  PasswordCheck();
  // Was this password found right for this hash before? Some microseconds.
  bool known(std::string_view account, std::string_view password, const std::string& hash);
  // The same, computed: a third of a second. `hash` "": as long, and false.
  bool verify(std::string_view account, std::string_view password, const std::string& hash);

 private:
  std::string key_of(std::string_view account, std::string_view password) const;
  const std::string secret_;  // of this process: what is remembered is of no use elsewhere
  std::mutex mutex_;          // guards known_
  std::unordered_map<std::string, std::string> known_;  // keyed digest of account and password -> the hash it fits
};

// A bucket of failures for each name: full at first, and refilled at a rate.
class FailureLimit {
 public:
  explicit FailureLimit(double per_minute) : per_minute_(per_minute) {}
  // Seconds to wait before `name` may try; 0: it may.
  double wait(const std::string& name, double now);
  void failed(const std::string& name, double now);

 private:
  const double per_minute_;
  std::mutex mutex_;  // guards buckets_
  std::unordered_map<std::string, net::TokenBucket> buckets_;
};

}  // namespace slipway::api
