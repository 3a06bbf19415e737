// JSON with limits. Objects keep the order of their keys, so that what is written reads like what was meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace slipway::base {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t max_bytes = size_t{64} << 20;
  int max_depth = 128;
};

// Throws Error(kInvalid) naming `source` and the byte where parsing failed, or the limit that was passed.
Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits = {});

// Compact text; invalid UTF-8 becomes U+FFFD instead of an exception.
std::string dump_json(const Json& value);
// Indented by two spaces, with a newline at the end: for files people read.
std::string dump_json_pretty(const Json& value);
// Compact, keys sorted at every level: the same value always gives the same bytes (hash this).
std::string canonical_json(const Json& value);

// The member `key` of object `json`, converted; throws Error(kInvalid) naming `source`, the key and the type wanted.
template <class T>
T get(const Json& json, std::string_view key, std::string_view source);
// The same, or `fallback` when the key is absent or null.
template <class T>
T get_or(const Json& json, std::string_view key, T fallback, std::string_view source);

[[noreturn]] void throw_json_type(std::string_view key, std::string_view source, const char* what);

template <class T>
T get(const Json& json, std::string_view key, std::string_view source) {
  const auto it = json.is_object() ? json.find(key) : json.end();
  if (it == json.end()) {
    throw_json_type(key, source, "is missing");
  }
  try {
    return it->template get<T>();
  } catch (const nlohmann::json::exception&) {
    throw_json_type(key, source, "has the wrong type");
  }
}

template <class T>
T get_or(const Json& json, std::string_view key, T fallback, std::string_view source) {
  const auto it = json.is_object() ? json.find(key) : json.end();
  if (it == json.end() || it->is_null()) {
    return fallback;
  }
  return get<T>(json, key, source);
}

}  // namespace slipway::base
