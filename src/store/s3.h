// Objects in S3 or a server that speaks its protocol (Amazon S3 API 2006-03-01, Signature Version 4). Large files go up in
// parts; answers 500, 502, 503, 504, 429 and lost connections are tried again with growing pauses. No message holds a secret.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/object_store.h"
#include "store/sigv4.h"

namespace slipway::store {

struct S3Options {
  std::string bucket;
  std::string prefix;    // "" or "a/b/"
  std::string endpoint;  // "https://HOST[:PORT]"; empty: Amazon's, by region
  std::string region = "us-east-1";
  AwsKeys keys;
  int tries = 6;                           // of one request
  int first_pause_ms = 100;                // doubled each time
  uint64_t part_bytes = uint64_t{16} << 20;  // larger files go up in parts of this size, at least 5 MiB in S3
};

bool is_s3_url(std::string_view text) noexcept;

// "s3://BUCKET/PREFIX" and the environment (`variable` gives a variable's value, "" when it is not set): AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL unless
// `endpoint` is given. Throws Error(kInvalid) saying what is missing.
S3Options s3_options(std::string_view url, std::string_view endpoint,
                     const std::function<std::string(const char*)>& variable);

// `transport` and `clock` are borrowed. Asks nothing yet.
std::unique_ptr<ObjectStore> open_s3(S3Options options, HttpTransport& transport, const base::Clock& clock);

// The text of the first element `name` of an answer, entities undone; and those of all. What is no such answer gives nothing.
// At most 64 KiB each.
std::string xml_text(std::string_view xml, std::string_view name);
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);

}  // namespace slipway::store
