// The Range header of a request (RFC 9110, 14.2), for one range of bytes. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::api {

struct Range {
  enum class Kind { kWhole, kPart, kUnsatisfiable };
  Kind kind = Kind::kWhole;
  uint64_t first = 0;
  uint64_t size = 0;
};

// "bytes=0-99", "bytes=100-", "bytes=-5". Another unit, several ranges or a malformed one: the whole, as the RFC
// allows.
Range parse_range(std::string_view header, uint64_t size) noexcept;

}  // namespace slipway::api
