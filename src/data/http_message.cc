#include "data/http_message.h"

#include <algorithm>
#include <brotli/decode.h>
#include <charconv>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <zlib.h>
#include <zstd.h>

#include "base/shared_library.h"

namespace slipway::data {
namespace {

constexpr size_t kPiece = size_t{64} << 10;
constexpr size_t kMaxHeaders = 1000;
constexpr size_t kMaxCodings = 4;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::string too_large(size_t max_bytes) { return fmt::format("a body of more than the limit of {} bytes", max_bytes); }

// brotli's decoder, loaded when a page needs it.
struct Brotli {
  decltype(&::BrotliDecoderCreateInstance) create = nullptr;
  decltype(&::BrotliDecoderDestroyInstance) destroy = nullptr;
  decltype(&::BrotliDecoderDecompressStream) decompress = nullptr;
};

const Brotli& brotli() {
  static const Brotli all = [] {
    const base::SharedLibrary library({"libbrotlidec.so.1", "a page that is compressed by brotli", "libbrotli1", "1.0.0"});
    Brotli found;
    library.find("BrotliDecoderCreateInstance", found.create);
    library.find("BrotliDecoderDestroyInstance", found.destroy);
    library.find("BrotliDecoderDecompressStream", found.decompress);
    return found;
  }();
  return all;
}

std::string undo_brotli(std::string_view bytes, size_t max_bytes, std::string& out) {
  const Brotli& lib = brotli();
  const std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state(lib.create(nullptr, nullptr, nullptr), lib.destroy);
  if (state == nullptr) {
    throw std::bad_alloc();
  }
  size_t in_left = bytes.size();
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());  // NOLINT: brotli's type for bytes
  for (;;) {
    const size_t before = out.size();
    out.resize(before + kPiece);
    auto* to = reinterpret_cast<uint8_t*>(out.data() + before);  // NOLINT
    size_t room = kPiece;
    const BrotliDecoderResult result = lib.decompress(state.get(), &in_left, &in, &room, &to, nullptr);
    out.resize(before + kPiece - room);
    if (out.size() > max_bytes) {
      return too_large(max_bytes);
    }
    if (result == BROTLI_DECODER_RESULT_SUCCESS) {
      return "";
    }
    if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
      return result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT ? "the brotli data ends early" : "the brotli data is damaged";
    }
  }
}

std::string undo_zlib(std::string_view bytes, int window, size_t max_bytes, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) {
    throw std::bad_alloc();
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  for (;;) {
    const size_t before = out.size();
    out.resize(before + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);  // NOLINT: zlib's type for bytes
    stream.avail_out = static_cast<uInt>(kPiece);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kPiece - stream.avail_out);
    if (out.size() > max_bytes) {
      return too_large(max_bytes);
    }
    if (result == Z_STREAM_END) {
      return "";
    }
    if (result != Z_OK) {
      return stream.avail_in == 0 ? "the compressed data ends early" : "the compressed data is damaged";
    }
  }
}

std::string undo_zstd(std::string_view bytes, size_t max_bytes, std::string& out) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    const size_t before = out.size();
    out.resize(before + kPiece);
    ZSTD_outBuffer to{out.data() + before, kPiece, 0};
    const size_t result = ZSTD_decompressStream(stream.get(), &to, &in);
    out.resize(before + to.pos);
    if (ZSTD_isError(result) != 0U) {
      return "the zstd data is damaged";
    }
    if (out.size() > max_bytes) {
      return too_large(max_bytes);
    }
    if (result == 0 && in.pos == in.size) {
      return "";
    }
    if (to.pos == 0 && in.pos == in.size) {
      return "the zstd data ends early";
    }
  }
}

// Are the bytes in this coding at all? Only for codings with a sign of their own.
bool has_sign_of(std::string_view coding, std::string_view bytes) noexcept {
  if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) {
    return bytes.starts_with("\x1f\x8b");
  }
  if (same_name(coding, "zstd")) {
    return bytes.starts_with("\x28\xb5\x2f\xfd");
  }
  const std::string_view start = trimmed(bytes.substr(0, 256));
  return !(start.starts_with("<!") || start.starts_with("<h") || start.starts_with("<H") || start.starts_with("<?xml"));
}

// RFC 9112, 7.1; the trailer is passed over. False when it is not chunked at all: the first line is no size.
bool undo_chunks(std::string_view bytes, size_t max_bytes, std::string& out, std::string& fault) {
  for (size_t at = 0, n = 0;; ++n) {
    const size_t line_end = bytes.find('\n', at);
    const std::string_view line = trimmed(bytes.substr(at, line_end == std::string_view::npos ? line_end : line_end - at));
    const std::string_view digits = trimmed(line.substr(0, line.find(';')));
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || line_end == std::string_view::npos) {
      if (n == 0) {
        return false;
      }
      fault = fmt::format("chunk {} of the body has no size", n + 1);
      return true;
    }
    if (size == 0) {
      return true;
    }
    const std::string_view piece = bytes.substr(line_end + 1).substr(0, size);
    if (out.size() + piece.size() > max_bytes) {
      fault = too_large(max_bytes);
      return true;
    }
    out.append(piece);
    if (piece.size() < size) {
      fault = fmt::format("chunk {} of the body ends early", n + 1);
      return true;
    }
    at = line_end + 1 + piece.size();
    at += bytes.substr(at).starts_with("\r\n") ? 2 : bytes.substr(at).starts_with("\n") ? 1 : 0;
  }
}

size_t end_of_head(std::string_view message, size_t& skip) noexcept {
  for (size_t at = message.find('\n'); at != std::string_view::npos; at = message.find('\n', at + 1)) {
    const std::string_view rest = message.substr(at + 1);
    if (rest.starts_with("\r\n") || rest.starts_with('\n')) {
      skip = at + 1 + (rest.front() == '\r' ? 2 : 1);
      return at + 1;
    }
  }
  skip = message.size();
  return message.size();
}

void parse_head(std::string_view head, HttpMessage& out) {
  size_t line_end = std::min(head.find('\n'), head.size());
  const std::string_view first = trimmed(head.substr(0, line_end));
  if (const size_t blank = first.find(' '); first.starts_with("HTTP/") && blank != std::string_view::npos) {
    const std::string_view code = trimmed(first.substr(blank)).substr(0, 3);
    std::from_chars(code.data(), code.data() + code.size(), out.status);
  }
  for (size_t at = line_end; at < head.size() && out.headers.size() < kMaxHeaders; at = line_end) {
    ++at;
    line_end = std::min(head.find('\n', at), head.size());
    const std::string_view line = head.substr(at, line_end - at);
    if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
      out.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
  }
}

// "gzip, br" from the last to the first.
std::vector<std::string_view> codings_of(std::string_view value) {
  std::vector<std::string_view> codings;
  while (!value.empty()) {
    const size_t comma = value.rfind(',');
    const std::string_view coding = trimmed(comma == std::string_view::npos ? value : value.substr(comma + 1));
    if (!coding.empty() && !same_name(coding, "identity") && !same_name(coding, "none")) {
      codings.push_back(coding);
    }
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(0, comma);
  }
  return codings;
}

}  // namespace

std::string_view HttpMessage::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) {
      return value;
    }
  }
  return {};
}

std::string undo_coding(std::string_view coding, std::string_view bytes, size_t max_bytes, std::string& out) {
  out.clear();
  if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) {
    return undo_zlib(bytes, 16 + MAX_WBITS, max_bytes, out);
  }
  if (same_name(coding, "deflate")) {
    // RFC 9110 says zlib, some servers send it raw; the first two bytes tell (RFC 1950, 2.2).
    const bool zlib = bytes.size() >= 2 && (bytes[0] & 0x0F) == 8 &&
                      (static_cast<unsigned char>(bytes[0]) * 256 + static_cast<unsigned char>(bytes[1])) % 31 == 0;
    return undo_zlib(bytes, zlib ? MAX_WBITS : -MAX_WBITS, max_bytes, out);
  }
  if (same_name(coding, "br")) {
    return undo_brotli(bytes, max_bytes, out);
  }
  if (same_name(coding, "zstd")) {
    return undo_zstd(bytes, max_bytes, out);
  }
  return fmt::format("an unknown content coding '{}'", coding.substr(0, 32));
}

void parse_http_response(std::string_view message, size_t max_body_bytes, HttpMessage& out) {
  out.status = 0;
  out.headers.clear();
  out.decoded.clear();
  out.fault.clear();
  size_t body_at = 0;
  const size_t head_end = end_of_head(message, body_at);
  parse_head(message.substr(0, head_end), out);
  out.body = message.substr(body_at);
  const std::string_view transfer = out.header("Transfer-Encoding");
  std::string next;
  if (std::any_of(transfer.begin(), transfer.end(), [](char c) { return lower(c) == 'c'; }) &&
      undo_chunks(out.body, max_body_bytes, next, out.fault)) {
    out.decoded.swap(next);
    out.body = out.decoded;
  }
  const std::vector<std::string_view> codings = codings_of(out.header("Content-Encoding"));
  if (codings.size() > kMaxCodings) {
    out.fault = fmt::format("{} content codings on top of each other", codings.size());
  }
  for (const std::string_view coding : codings) {
    if (!out.fault.empty() || out.body.empty()) {
      break;
    }
    if (!has_sign_of(coding, out.body)) {
      continue;
    }
    out.fault = undo_coding(coding, out.body, max_body_bytes, next);
    out.decoded.swap(next);
    out.body = out.decoded;
  }
  if (out.fault.empty() && out.body.size() > max_body_bytes) {
    out.fault = too_large(max_body_bytes);
  }
}

}  // namespace slipway::data
