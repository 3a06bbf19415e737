#include "api/ui_media.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/range.h"

namespace slipway::api {
namespace {

struct Type {
  std::string_view ending;
  const char* type;
};

constexpr std::array<Type, 12> kTypes = {{{".html", "text/html; charset=utf-8"},
                                          {".htm", "text/html; charset=utf-8"},
                                          {".svg", "image/svg+xml"},
                                          {".png", "image/png"},
                                          {".jpg", "image/jpeg"},
                                          {".jpeg", "image/jpeg"},
                                          {".gif", "image/gif"},
                                          {".webp", "image/webp"},
                                          {".pdf", "application/pdf"},
                                          {".json", "application/json"},
                                          {".csv", "text/csv; charset=utf-8"},
                                          {".jsonl", "application/x-ndjson; charset=utf-8"}}};

// Anything else is text to look at: no browser runs it, for it is not sniffed.
const char* type_of(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& type) { return lower.ends_with(type.ending); });
  return found == kTypes.end() ? "text/plain; charset=utf-8" : found->type;
}

// No scripts, forms, frames, requests; an origin of its own; styles and pictures that are in the file.
constexpr const char* kPolicy =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'";

}  // namespace

net::Response ui_media(const net::Request& request, std::string_view name, const std::string& digest,
                       const std::filesystem::path& file, uint64_t size) {
  const std::string etag = fmt::format("\"{}\"", digest.substr(digest.find(':') + 1));
  net::Response response;
  response.headers = {{"Content-Type", type_of(name)},
                      {"ETag", etag},
                      {"Cache-Control", "no-cache"},
                      {"Accept-Ranges", "bytes"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Content-Security-Policy", kPolicy}};
  if (request.headers.get("If-None-Match") == etag) {
    response.status = 304;
    return response;
  }
  const Range range = parse_range(request.headers.get("Range"), size);
  if (range.kind == Range::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.set("Content-Range", fmt::format("bytes */{}", size));
    return response;
  }
  if (range.kind == Range::Kind::kPart) {
    response.status = 206;
    response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range.first, range.first + range.size - 1, size));
  }
  response.file = net::FileBody{file, range.first, range.size};
  return response;
}

}  // namespace slipway::api
