#include "store/sigv4.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::store {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: OpenSSL's form
  SLIPWAY_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), out.data(), &size) !=
                nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};  // NOLINT
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Without blanks around it, and one where there are several.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) {
      out += c;
    }
  }
  while (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

std::string timestamp(int64_t unix_ms) {
  const auto seconds = static_cast<time_t>(unix_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

}  // namespace

std::string uri_encoded(std::string_view text, bool slashes) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '_' || c == '.' || c == '~' ||
                       (c == '/' && !slashes);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

std::string query_string(std::vector<std::pair<std::string, std::string>> query) {
  std::sort(query.begin(), query.end());
  std::string out;
  for (const auto& [name, value] : query) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", uri_encoded(name, true), uri_encoded(value, true));
  }
  return out;
}

HttpHeaders signed_headers(const SignedCall& call, const AwsKeys& keys, std::string_view region, int64_t unix_ms) {
  const std::string time = timestamp(unix_ms);
  const std::string date = time.substr(0, 8);
  HttpHeaders headers = call.headers;
  headers.emplace_back("x-amz-content-sha256", call.payload_sha256);
  headers.emplace_back("x-amz-date", time);
  if (!keys.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", keys.session_token);
  }
  HttpHeaders canonical;
  for (const auto& [name, value] : headers) {
    canonical.emplace_back(lower(name), squeezed(value));
  }
  std::sort(canonical.begin(), canonical.end());
  std::string lines;
  std::string names;
  for (const auto& [name, value] : canonical) {
    lines += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", call.method, call.path, query_string(call.query), lines,
                                          names, call.payload_sha256);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", date, region);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, base::sha256_hex(request));
  const std::string key = hmac(hmac(hmac(hmac("AWS4" + keys.secret_key, date), region), "s3"), "aws4_request");
  headers.emplace_back("Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                                    keys.access_key, scope, names, hex(hmac(key, to_sign))));
  return headers;
}

}  // namespace slipway::store
