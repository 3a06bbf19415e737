// The HTTP response that a crawler stored: head and body, transfer and content codings undone. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::data {

struct HttpMessage {
  int status = 0;
  std::vector<std::pair<std::string_view, std::string_view>> headers;  // views of the message
  std::string_view body;  // of the message, or of `decoded`
  std::string decoded;
  std::string fault;  // the body cannot be had: damaged coding, an unknown one, more than the limit; empty: nothing

  // The first header of that name, case ignored; "" when absent.
  std::string_view header(std::string_view name) const noexcept;
};

// Takes `message` apart ("HTTP/1.1 200 OK\r\n…"). Transfer-Encoding: chunked and Content-Encoding gzip, deflate, br and zstd are
// undone, several of them too; a body that is not in the coding it claims but plain is taken as it is (many crawlers store it decoded
// and keep the header). kept in `out`, whose memory is reused; never throws but std::bad_alloc, and Error(kFailure) when brotli is
// needed and not installed. A body that would pass `max_body_bytes` is a fault, found without unpacking more than that.
void parse_http_response(std::string_view message, size_t max_body_bytes, HttpMessage& out);

// Undoes one content coding into `out`; "" when that went well, else why not.
std::string undo_coding(std::string_view coding, std::string_view bytes, size_t max_bytes, std::string& out);

}  // namespace slipway::data
