#include "api/download.h"

#include <fmt/format.h>

#include "api/range.h"

namespace slipway::api {

net::Response download_answer(const net::Request& request, Download file) {
  const std::string etag = fmt::format("\"{}\"", file.etag);
  net::Response response;
  response.headers = std::move(file.headers);
  response.headers.add("Accept-Ranges", "bytes");
  response.headers.add("ETag", etag);
  if (request.headers.get("If-None-Match") == etag) {
    response.status = 304;
    return response;
  }
  const std::string_view if_range = request.headers.get("If-Range");
  const std::string_view wanted = if_range.empty() || if_range == etag ? request.headers.get("Range") : "";
  const Range range = parse_range(wanted, file.size);
  if (range.kind == Range::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.set("Content-Range", fmt::format("bytes */{}", file.size));
    return response;
  }
  if (range.kind == Range::Kind::kPart) {
    response.status = 206;
    response.headers.set("Content-Range",
                         fmt::format("bytes {}-{}/{}", range.first, range.first + range.size - 1, file.size));
  }
  response.file = net::FileBody{std::move(file.blob), range.first, range.size};
  return response;
}

}  // namespace slipway::api
