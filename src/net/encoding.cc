#include "net/encoding.h"

#include <algorithm>
#include <stdexcept>
#include <zlib.h>

#include "net/http.h"

namespace slipway::net {

namespace {

constexpr size_t kPiece = size_t{64} << 10;  // grown by this much: a bomb costs at most one piece beyond the limit
constexpr int kGzipWindow = 15 + 16;         // zlib's way to ask for the gzip wrapper
constexpr int kZlibWindow = 15;
constexpr int kRawWindow = -15;

Decode inflate_all(std::string_view bytes, int window, size_t max_bytes, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) {
    throw std::bad_alloc();
  }
  // zlib's interface is not const-correct: it does not write to next_in.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  out.clear();
  Decode result = Decode::kDamaged;
  for (;;) {
    const size_t before = out.size();
    out.resize(before + std::min(kPiece, max_bytes + 1 - before));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > max_bytes) {
      result = Decode::kTooLarge;
      break;
    }
    if (status == Z_STREAM_END) {
      result = stream.avail_in == 0 ? Decode::kOk : Decode::kDamaged;
      break;
    }
    if (status != Z_OK || (stream.avail_in == 0 && out.size() == before)) {
      break;
    }
  }
  inflateEnd(&stream);
  return result;
}

}  // namespace

Decode decode_body(std::string_view encoding, std::string_view bytes, size_t max_bytes, std::string& out) {
  if (encoding.empty() || equal_ignoring_case(encoding, "identity")) {
    out.assign(bytes);
    return out.size() > max_bytes ? Decode::kTooLarge : Decode::kOk;
  }
  if (equal_ignoring_case(encoding, "gzip") || equal_ignoring_case(encoding, "x-gzip")) {
    return inflate_all(bytes, kGzipWindow, max_bytes, out);
  }
  if (equal_ignoring_case(encoding, "deflate")) {
    // RFC 9110 says zlib, some clients send it raw; the first two bytes tell (RFC 1950, 2.2).
    const bool zlib = bytes.size() >= 2 && (bytes[0] & 0x0F) == 8 &&
                      (static_cast<unsigned char>(bytes[0]) * 256 + static_cast<unsigned char>(bytes[1])) % 31 == 0;
    return inflate_all(bytes, zlib ? kZlibWindow : kRawWindow, max_bytes, out);
  }
  return Decode::kUnknown;
}

std::string encode_body(std::string_view encoding, std::string_view bytes) {
  z_stream stream{};
  const int window = encoding == "gzip" ? kGzipWindow : kZlibWindow;
  if (deflateInit2(&stream, 1, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    throw std::runtime_error("zlib could not compress a body");
  }
  return out;
}

std::string_view choose_encoding(std::string_view accept_encoding) noexcept {
  if (header_lists(accept_encoding, "gzip")) {
    return "gzip";
  }
  return header_lists(accept_encoding, "deflate") ? "deflate" : "";
}

}  // namespace slipway::net
