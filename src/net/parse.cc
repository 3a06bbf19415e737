#include "net/parse.h"

#include <boost/asio/buffer.hpp>

#include "net/wire.h"

namespace slipway::net {

namespace {

enum class Fed { kComplete, kShort, kRefused };

// Feeds one message, as Beast's read does: headers first, then the body. `bytes` loses what was consumed.
Fed feed(wire::Parser& parser, std::string_view& bytes, const ServerOptions& options, ParsedRequest& parsed) {
  bool head_checked = false;
  while (!parser.is_done()) {
    boost::system::error_code error;
    const size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    if (error == boost::beast::http::error::need_more && (used == 0 || bytes.empty())) {
      if (!parser.is_header_done() && bytes.size() > static_cast<size_t>(options.max_header_bytes)) {
        error = boost::beast::http::error::header_limit;
      } else {
        return Fed::kShort;
      }
    }
    if (error && error != boost::beast::http::error::need_more) {
      const wire::Refusal refusal = wire::refusal_of(error, options);
      parsed.status = refusal.status;
      parsed.message = refusal.message;
      return Fed::kRefused;
    }
    if (parser.is_header_done() && !head_checked) {
      head_checked = true;
      if (const auto refusal = wire::check_head(parser, options)) {
        parsed.status = refusal->status;
        parsed.message = refusal->message;
        return Fed::kRefused;
      }
    }
    if (!error && used == 0 && !parser.is_done()) {
      return Fed::kShort;
    }
  }
  return Fed::kComplete;
}

}  // namespace

std::vector<ParsedRequest> parse_requests(std::string_view bytes, const ServerOptions& options) {
  std::vector<ParsedRequest> results;
  while (!bytes.empty()) {
    wire::Parser parser;
    wire::configure(parser, options);
    ParsedRequest& parsed = results.emplace_back();
    const Fed fed = feed(parser, bytes, options, parsed);
    if (fed == Fed::kShort) {
      results.pop_back();
      return results;
    }
    if (fed == Fed::kRefused) {
      return results;
    }
    const bool keep_alive = parser.get().keep_alive();
    if (const auto refusal = wire::to_request(parser, options, parsed.request)) {
      parsed.status = refusal->status;
      parsed.message = refusal->message;
    }
    if (!keep_alive) {
      return results;
    }
  }
  return results;
}

}  // namespace slipway::net
