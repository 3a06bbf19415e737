// Private to net: between Beast's parser and our Request, and how a Response looks on the wire. The only place, with
// session.h and client.cc, that knows Beast. One thread at a time.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "net/http.h"
#include "net/server.h"

namespace slipway::net::wire {

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
using UploadParser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
using Head = boost::beast::http::request_header<>;

// Why a request is not served; the connection is closed after the answer when its end is not known.
struct Refusal {
  int status = 400;
  std::string message;
  bool close = true;
};

void configure(Parser& parser, const ServerOptions& options);
// What a failed parse or read means for the client.
Refusal refusal_of(const boost::system::error_code& error, const ServerOptions& options);
// The checks possible once the headers are there and the body is not.
std::optional<Refusal> check_head(const Parser& parser, const ServerOptions& options);
// Target, query, headers and id; the rest is the caller's.
std::optional<Refusal> to_head(const Head& head, Request& out);
// The body of a complete message, with its content encoding undone, once out has the head.
std::optional<Refusal> to_body(Parser& parser, const ServerOptions& options, Request& out);
// A complete message becomes a Request (query, id, content encoding undone); the peer is filled by the caller.
std::optional<Refusal> to_request(Parser& parser, const ServerOptions& options, Request& out);

struct HeadOptions {
  bool keep_alive = true;
  bool chunked = false;
  bool http_1_0 = false;
  std::string_view request_id;
};
// Status line and headers. Content-Length, Connection, Date, Server, x-request-id and nosniff are ours; a control
// character in a header's value becomes a space, so that no value can start a header of its own.
std::string render_head(const Response& response, const HeadOptions& options);

// Compresses the body when `accept` allows it and it pays.
void compress(Response& response, std::string_view accept);

}  // namespace slipway::net::wire
