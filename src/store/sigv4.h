// AWS Signature Version 4, as S3 wants it ("Authenticating Requests (AWS Signature Version 4)"). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/object_store.h"

namespace slipway::store {

struct AwsKeys {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty: none
};

struct SignedCall {
  std::string method;
  std::string path;                                         // encoded: "/bucket/a%20b"
  std::vector<std::pair<std::string, std::string>> query;   // not encoded
  HttpHeaders headers;                                      // with Host; all are signed
  std::string payload_sha256;                               // of the body, in hex
};

// The headers with x-amz-date, x-amz-content-sha256, x-amz-security-token and Authorization added, at `unix_ms`.
HttpHeaders signed_headers(const SignedCall& call, const AwsKeys& keys, std::string_view region, int64_t unix_ms);

// Percent-encoding of everything but A-Z a-z 0-9 - _ . ~ ; `slashes`: of '/' too.
std::string uri_encoded(std::string_view text, bool slashes);
std::string query_string(std::vector<std::pair<std::string, std::string>> query);  // sorted by name

}  // namespace slipway::store
