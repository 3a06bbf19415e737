// gzip and deflate of whole bodies, bounded. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::net {

enum class Decode { kOk, kUnknown, kDamaged, kTooLarge };

// Undoes a Content-Encoding of "gzip", "x-gzip", "deflate" (zlib or raw) or "identity" into `out`. kTooLarge as soon as
// the result would pass `max_bytes`: a bomb stops there.
Decode decode_body(std::string_view encoding, std::string_view bytes, size_t max_bytes, std::string& out);

// "gzip" or "deflate" at level 1 (speed: a response is small and sent once).
std::string encode_body(std::string_view encoding, std::string_view bytes);

// "gzip", "deflate" or "" from an Accept-Encoding header.
std::string_view choose_encoding(std::string_view accept_encoding) noexcept;

}  // namespace slipway::net
