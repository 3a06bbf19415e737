// Bytes of a connection through the server's parser, the router and the query and body decoders.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/parse.h"
#include "net/router.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::net::ServerOptions options;
  options.max_body_bytes = 1 << 16;
  options.max_header_bytes = 4096;
  static const slipway::net::Router router = [] {
    slipway::net::Router made;
    const slipway::net::Handler nothing = [](const slipway::net::Request&, const slipway::net::Responder&) {};
    made.add("GET", "/", nothing);
    made.add("POST", "/v2/models/{model}/versions/{version}/infer", nothing);
    return made;
  }();
  for (auto& parsed : slipway::net::parse_requests({reinterpret_cast<const char*>(data), size}, options)) {
    if (parsed.status == 200) {
      router.find(parsed.request);
    }
  }
  return 0;
}
