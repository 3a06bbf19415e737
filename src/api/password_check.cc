#include "api/password_check.h"

#include <iterator>

#include "base/secret.h"

namespace slipway::api {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kMaxKnown = 4096;      // then all are forgotten, and cost one check again
constexpr size_t kMaxBuckets = 10'000;  // then those that have filled up again are forgotten

}  // namespace

PasswordCheck::PasswordCheck() : secret_(base::random_hex(kSecretBytes)) {}

std::string PasswordCheck::key_of(std::string_view account, std::string_view password) const {
  std::string message(account);
  message.push_back('\0');  // in no account's name
  message.append(password);
  return base::hmac_sha256(secret_, message);
}

bool PasswordCheck::known(std::string_view account, std::string_view password, const std::string& hash) {
  const std::string key = key_of(account, password);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  return found != known_.end() && found->second == hash;
}

bool PasswordCheck::verify(std::string_view account, std::string_view password, const std::string& hash) {
  if (!base::verify_password(password, hash)) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxKnown) {
    known_.clear();
  }
  known_[key_of(account, password)] = hash;
  return true;
}

double FailureLimit::wait(const std::string& name, double now) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(name);
  return found == buckets_.end() ? 0 : found->second.seconds_until(1, now);
}

void FailureLimit::failed(const std::string& name, double now) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMaxBuckets) {
    for (auto it = buckets_.begin(); it != buckets_.end();) {
      it = it->second.level(now) >= per_minute_ ? buckets_.erase(it) : std::next(it);
    }
  }
  if (buckets_.size() >= kMaxBuckets && !buckets_.contains(name)) {
    return;  // ten thousand names fail at once: memory comes first
  }
  buckets_.try_emplace(name, per_minute_, now).first->second.take(1, now);
}

}  // namespace slipway::api
