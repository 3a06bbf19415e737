// Who may use a server, and how much: API keys with a rate of requests, a rate of tokens and a number of requests at a
// time for each. Only SHA-256 digests of keys are kept, every one is compared, in constant time; a key is never logged
// nor told. Any thread may call any function of an AccessControl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/gate.h"
#include "net/metrics.h"

namespace slipway::net {

// What one key is good for. 0: no limit.
struct KeyLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;  // of prompts and answers together
  int64_t max_concurrent = 0;     // requests at a time
};

struct ApiKey {
  std::string name;    // [A-Za-z0-9._-]{1,64}: a label of metrics, the client of the scheduler
  std::string sha256;  // of the key: 64 lower-case hex digits
  KeyLimits limits;
  bool admin = false;  // may do what else only this machine may: administers()
};

constexpr size_t kMaxApiKeys = 10'000;

// The key itself; throws Error(kInvalid) when it is empty, longer than 512 bytes, or has anything but printable ASCII.
ApiKey api_key(std::string name, std::string_view key, KeyLimits limits = {});

// YAML: a list of {name, key or sha256, requests_per_minute?, tokens_per_minute?, max_concurrent?, admin?}, or {keys:
// that list}. Throws Error(kInvalid) naming `source` and line, never a key, for an unknown field, a wrong value, a name
// or key that is there twice, or none at all.
std::vector<ApiKey> parse_api_keys(std::string_view yaml, std::string_view source);
std::vector<ApiKey> read_api_keys(const std::filesystem::path& path);

class AccessControl {
 public:
  struct Hooks {
    // The form of a refusal, which is the protocol's; `code` is a word for it: "invalid_api_key",
    // "rate_limit_exceeded".
    std::function<Response(const Request&, int status, const std::string& message, const std::string& code)> refuse;
    // Requests that need no key, such as health checks.
    std::function<bool(const Request&)> open;
    std::function<double()> now;  // monotonic seconds; absent: base::monotonic_seconds
  };

  // The registry is borrowed and outlives this.
  AccessControl(std::vector<ApiKey> keys, MetricRegistry& metrics, Hooks hooks);
  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  // Refuses with 401 (no key, or one that is not known) and 429 with Retry-After and retry-after-ms (a limit of the
  // key); what is admitted carries OpenAI's x-ratelimit-* headers for the limits that its key has. A refused request
  // uses nothing up.
  Admission admit(const Request& request);
  // Tokens that the key's requests used; a name that is not known (any more) is ignored.
  void charge(std::string_view name, int64_t input_tokens, int64_t output_tokens);
  // Whether the key of that name is an administrator's; false for "".
  bool administers(std::string_view name) const;
  // Other keys from now on. A key that keeps its name keeps what it has used.
  void replace(std::vector<ApiKey> keys);

 private:
  struct Client;
  using Clients = std::vector<std::shared_ptr<Client>>;
  std::shared_ptr<Client> find_key(std::string_view key) const;
  Admission refuse(const Request& request, int status, const std::string& message, const std::string& code);

  MetricRegistry& metrics_;
  Hooks hooks_;
  Counter& unauthorized_;
  mutable std::shared_mutex mutex_;  // guards clients_
  Clients clients_;
};

}  // namespace slipway::net
