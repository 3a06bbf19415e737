// Private to net: a listening socket, or why there is none.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "net/server.h"

namespace slipway::net {

// Listens on the options' address and port. Throws Error(kUnavailable) naming the port when it is taken, kInvalid for
// an address that is not ours, kNotAllowed for a port that needs rights. `flag` is what sets the port: "--port".
std::unique_ptr<boost::asio::ip::tcp::acceptor> listen_on(boost::asio::io_context& io, const ServerOptions& options,
                                                          const char* flag);

}  // namespace slipway::net
