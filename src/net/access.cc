#include "net/access.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/yaml.h"
#include "net/token_bucket.h"

namespace slipway::net {

using base::Code;
using base::Error;

namespace {

constexpr size_t kMaxKeyBytes = 512;
constexpr size_t kMaxNameBytes = 64;
constexpr int64_t kMaxLimit = int64_t{1} << 40;
constexpr size_t kMaxFileBytes = size_t{4} << 20;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Reads one entry of the list. Messages never hold a value: it may be a key.
class EntryReader {
 public:
  EntryReader(const base::YamlDocument& document, std::string_view source, std::string pointer)
      : document_(document), source_(source), pointer_(std::move(pointer)) {}

  ApiKey read(const Json& entry) const {
    if (!entry.is_object()) {
      reject("", "a key is a mapping with 'name' and 'key' or 'sha256'");
    }
    ApiKey key;
    std::optional<std::string> plain;
    for (const auto& [field, value] : entry.items()) {
      if (field == "name") {
        key.name = text(field, value);
      } else if (field == "key") {
        plain = text(field, value);
      } else if (field == "sha256") {
        key.sha256 = text(field, value);
      } else if (field == "requests_per_minute") {
        key.limits.requests_per_minute = limit(field, value);
      } else if (field == "tokens_per_minute") {
        key.limits.tokens_per_minute = limit(field, value);
      } else if (field == "max_concurrent") {
        key.limits.max_concurrent = limit(field, value);
      } else if (field == "admin") {
        if (!value.is_boolean()) {
          reject(field, "'admin' must be true or false");
        }
        key.admin = value.get<bool>();
      } else {
        reject(field, fmt::format("'{}' is not known; an entry has name, key or sha256, requests_per_minute, "
                                  "tokens_per_minute, max_concurrent, admin",
                                  field.substr(0, 40)));
      }
    }
    if (!is_name(key.name)) {
      reject("name", fmt::format("'name' must be 1 to {} letters, digits, dots, dashes or underscores", kMaxNameBytes));
    }
    if (plain.has_value() == !key.sha256.empty()) {
      reject("", fmt::format("'{}' needs either 'key' or 'sha256'", key.name));
    }
    if (plain) {
      try {
        key.sha256 = api_key(key.name, *plain).sha256;
      } catch (const Error& error) {
        reject("key", error.what());
      }
    } else if (!is_sha256(key.sha256)) {
      reject("sha256", "'sha256' must be the key's SHA-256 as 64 lower-case hex digits");
    }
    return key;
  }

  [[noreturn]] void reject(const std::string& field, const std::string& message) const {
    throw Error(
        Code::kInvalid,
        fmt::format("{}: {}", document_.where(source_, field.empty() ? pointer_ : pointer_ + "/" + field), message));
  }

 private:
  std::string text(const std::string& field, const Json& value) const {
    if (!value.is_string()) {
      reject(field, fmt::format("'{}' must be a text; put it in quotes", field));
    }
    return value.get<std::string>();
  }
  int64_t limit(const std::string& field, const Json& value) const {
    if (!value.is_number_integer() || value.get<double>() < 1 || value.get<double>() > static_cast<double>(kMaxLimit)) {
      reject(field, fmt::format("'{}' must be a whole number of at least 1; leave it out for no limit", field));
    }
    return value.get<int64_t>();
  }

  const base::YamlDocument& document_;
  std::string_view source_;
  std::string pointer_;
};

// The key that a request shows, or "".
std::string_view shown_key(const Request& request) {
  constexpr std::string_view kBearer = "bearer ";
  std::string_view value = request.headers.get("Authorization");
  if (value.size() > kBearer.size() && equal_ignoring_case(value.substr(0, kBearer.size()), kBearer)) {
    value.remove_prefix(kBearer.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  return request.headers.get("X-API-Key");
}

// As OpenAI writes spans: "120ms", "7.5s", "6m0s".
std::string span_text(double seconds) {
  if (seconds < 1) {
    return fmt::format("{}ms", std::lround(std::ceil(seconds * 1000)));
  }
  const double rounded = std::ceil(seconds * 10) / 10;
  return rounded < 60 ? fmt::format("{}s", rounded)
                      : fmt::format("{}m{}s", static_cast<int64_t>(rounded / 60), std::lround(std::fmod(rounded, 60)));
}

}  // namespace

ApiKey api_key(std::string name, std::string_view key, KeyLimits limits) {
  if (key.empty() || key.size() > kMaxKeyBytes || !is_printable(key)) {
    throw Error(Code::kInvalid,
                fmt::format("an API key is 1 to {} printable ASCII characters without spaces", kMaxKeyBytes));
  }
  return {std::move(name), base::sha256_hex(key), limits};
}

std::vector<ApiKey> parse_api_keys(std::string_view yaml, std::string_view source) {
  const base::YamlDocument document = base::parse_yaml(yaml, source);
  const bool nested = document.value.is_object() && document.value.size() == 1 && document.value.contains("keys");
  const Json& list = nested ? document.value.at("keys") : document.value;
  if (!list.is_array() || list.empty() || list.size() > kMaxApiKeys) {
    throw Error(Code::kInvalid, fmt::format("{}: there must be a list of 1 to {} API keys, each with 'name' and 'key' "
                                            "or 'sha256'",
                                            source, kMaxApiKeys));
  }
  std::vector<ApiKey> keys;
  std::set<std::string> names;
  std::set<std::string> digests;
  for (size_t i = 0; i < list.size(); ++i) {
    const EntryReader reader(document, source, fmt::format("{}/{}", nested ? "/keys" : "", i));
    keys.push_back(reader.read(list[i]));
    if (!names.insert(keys.back().name).second) {
      reader.reject("name", fmt::format("the name '{}' is there twice", keys.back().name));
    }
    if (!digests.insert(keys.back().sha256).second) {
      reader.reject("", fmt::format("the key of '{}' is another name's too", keys.back().name));
    }
  }
  return keys;
}

std::vector<ApiKey> read_api_keys(const std::filesystem::path& path) {
  return parse_api_keys(base::read_file(path, kMaxFileBytes), path.string());
}

// A key and what it has used.
struct AccessControl::Client {
  Client(ApiKey key_in, MetricRegistry& metrics, double now)
      : name(key_in.name),
        requests_total(metrics.counter("slipway_client_requests_total", "Requests admitted, by the API key's name.",
                                       {"client"}, {name})),
        refused_total(metrics.counter("slipway_client_refused_total", "Requests refused by a limit of their API key.",
                                      {"client"}, {name})),
        input_total(metrics.counter("slipway_client_input_tokens_total", "Tokens of prompts and texts, by API key.",
                                    {"client"}, {name})),
        output_total(metrics.counter("slipway_client_output_tokens_total", "Tokens generated, by API key.", {"client"},
                                     {name})) {
    adopt(std::move(key_in), now);
  }

  // The limits of `key_in`; with the lock, or before anybody else knows this.
  void adopt(ApiKey key_in, double now) {
    key = std::move(key_in);
    const auto set = [now](std::optional<TokenBucket>& bucket, int64_t rate) {
      if (rate == 0) {
        bucket.reset();
      } else if (bucket) {
        bucket->set_rate(static_cast<double>(rate), now);
      } else {
        bucket.emplace(static_cast<double>(rate), now);
      }
    };
    set(requests, key.limits.requests_per_minute);
    set(tokens, key.limits.tokens_per_minute);
  }

  const std::string name;
  Counter& requests_total;
  Counter& refused_total;
  Counter& input_total;
  Counter& output_total;
  std::mutex mutex;  // guards what follows
  ApiKey key;
  std::optional<TokenBucket> requests;
  std::optional<TokenBucket> tokens;
  int64_t running = 0;
};

AccessControl::AccessControl(std::vector<ApiKey> keys, MetricRegistry& metrics, Hooks hooks)
    : metrics_(metrics),
      hooks_(std::move(hooks)),
      unauthorized_(metrics.counter("slipway_unauthorized_total", "Requests without a valid API key.")) {
  if (!hooks_.now) {
    hooks_.now = base::monotonic_seconds;
  }
  replace(std::move(keys));
}

AccessControl::~AccessControl() = default;

void AccessControl::replace(std::vector<ApiKey> keys) {
  const double now = hooks_.now();
  const std::unique_lock lock(mutex_);
  Clients next;
  for (ApiKey& key : keys) {
    const auto same = std::find_if(clients_.begin(), clients_.end(),
                                   [&](const std::shared_ptr<Client>& client) { return client->name == key.name; });
    if (same == clients_.end()) {
      next.push_back(std::make_shared<Client>(std::move(key), metrics_, now));
    } else {
      const std::lock_guard own((*same)->mutex);
      (*same)->adopt(std::move(key), now);
      next.push_back(*same);
    }
  }
  clients_ = std::move(next);
}

// Compares with every key, so that time tells neither which one it was nor how near a wrong one came.
std::shared_ptr<AccessControl::Client> AccessControl::find_key(std::string_view key) const {
  const std::string digest = base::sha256_hex(key);
  std::shared_ptr<Client> found;
  const std::shared_lock lock(mutex_);
  for (const std::shared_ptr<Client>& client : clients_) {
    if (base::equal_in_constant_time(client->key.sha256, digest)) {
      found = client;
    }
  }
  return found;
}

Admission AccessControl::refuse(const Request& request, int status, const std::string& message,
                                const std::string& code) {
  Admission admission;
  admission.refusal = hooks_.refuse(request, status, message, code);
  return admission;
}

Admission AccessControl::admit(const Request& request) {
  if (hooks_.open && hooks_.open(request)) {
    return {};
  }
  const std::string_view shown = shown_key(request);
  const std::shared_ptr<Client> client = shown.empty() || shown.size() > kMaxKeyBytes ? nullptr : find_key(shown);
  Admission admission;  // before the lock: its lease takes it too
  if (!client) {
    unauthorized_.add();
    admission = refuse(request, 401,
                       shown.empty() ? "this server needs an API key: 'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
                                     : "the API key is not valid",
                       "invalid_api_key");
    admission.refusal->headers.set("WWW-Authenticate", shown.empty() ? "Bearer" : "Bearer error=\"invalid_token\"");
    return admission;
  }
  const double now = hooks_.now();
  const std::lock_guard lock(client->mutex);
  const KeyLimits& limits = client->key.limits;
  double wait = 0;
  std::string why;
  if (limits.max_concurrent > 0 && client->running >= limits.max_concurrent) {
    why = fmt::format("this API key may have {} requests at a time", limits.max_concurrent);
    wait = 1;  // not known: when one of them ends
  } else if (client->tokens && client->tokens->level(now) < 1) {
    why = fmt::format("this API key may use {} tokens a minute", limits.tokens_per_minute);
    wait = client->tokens->seconds_until(1, now);
  } else if (client->requests && client->requests->level(now) < 1) {
    why = fmt::format("this API key may send {} requests a minute", limits.requests_per_minute);
    wait = client->requests->seconds_until(1, now);
  }
  if (!why.empty()) {
    client->refused_total.add();
    admission = refuse(request, 429, fmt::format("{}; try again in {}", why, span_text(wait)), "rate_limit_exceeded");
    admission.refusal->headers.set("Retry-After", fmt::format("{}", std::max(1L, std::lround(std::ceil(wait)))));
    admission.refusal->headers.set("retry-after-ms", fmt::format("{}", std::lround(std::ceil(wait * 1000))));
  } else {
    client->requests_total.add();
    if (client->requests) {
      client->requests->take(1, now);
    }
    ++client->running;
    admission.lease = std::shared_ptr<void>(client.get(), [client](void*) {
      const std::lock_guard own(client->mutex);
      --client->running;
    });
  }
  admission.client = client->name;
  const auto tell = [&](const char* what, std::optional<TokenBucket>& bucket) {
    if (bucket) {
      admission.headers.set(fmt::format("x-ratelimit-limit-{}", what), fmt::format("{}", bucket->per_minute()));
      admission.headers.set(fmt::format("x-ratelimit-remaining-{}", what),
                            fmt::format("{}", static_cast<int64_t>(std::max(0.0, bucket->level(now)))));
      admission.headers.set(fmt::format("x-ratelimit-reset-{}", what),
                            span_text(bucket->seconds_until(bucket->per_minute(), now)));
    }
  };
  tell("requests", client->requests);
  tell("tokens", client->tokens);
  return admission;
}

bool AccessControl::administers(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  for (const std::shared_ptr<Client>& client : clients_) {
    if (client->name == name) {
      const std::lock_guard own(client->mutex);
      return client->key.admin;
    }
  }
  return false;
}

void AccessControl::charge(std::string_view name, int64_t input_tokens, int64_t output_tokens) {
  const std::shared_lock lock(mutex_);
  for (const std::shared_ptr<Client>& client : clients_) {
    if (client->name == name) {
      client->input_total.add(static_cast<double>(input_tokens));
      client->output_total.add(static_cast<double>(output_tokens));
      const std::lock_guard own(client->mutex);
      if (client->tokens) {
        client->tokens->take(static_cast<double>(input_tokens + output_tokens), hooks_.now());
      }
      return;
    }
  }
}

}  // namespace slipway::net
