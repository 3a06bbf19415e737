// A file of the store as an answer: ETag and If-None-Match, Range and If-Range (RFC 9110, 13 and 14).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "net/http.h"

namespace slipway::api {

struct Download {
  std::filesystem::path blob;  // it must not change
  uint64_t size = 0;
  std::string etag;      // without quotes
  net::Headers headers;  // of the answer, besides those that follow from what is asked
};

// 200, 206, 304 or 416.
net::Response download_answer(const net::Request& request, Download file);

}  // namespace slipway::api
