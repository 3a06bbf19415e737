#include "net/listening.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

[[noreturn]] void throw_bind_error(const error_code& error, const ServerOptions& options,
                                   const char* flag) {
  const std::string where = fmt::format("{}:{}", options.address, options.port);
  if (error == asio::error::address_in_use) {
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("port {} is busy: another program listens on {}; stop it, or choose another port "
                                  "({} 0 takes a free one)",
                                  options.port, where, flag));
  }
  if (error == asio::error::access_denied) {
    throw base::Error(base::Code::kNotAllowed,
                      fmt::format("may not listen on {}: ports below 1024 need rights; choose a higher one", where));
  }
  if (error == boost::system::errc::address_not_available) {
    throw base::Error(base::Code::kInvalid, fmt::format("{} is not an address of this machine", options.address));
  }
  throw base::Error(base::Code::kFailure, fmt::format("cannot listen on {}: {}", where, error.message()));
}

}  // namespace

std::unique_ptr<tcp::acceptor> listen_on(asio::io_context& io, const ServerOptions& options, const char* flag) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is not an IP address; use 127.0.0.1, 0.0.0.0 or ::", options.address));
  }
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options.port));
  auto acceptor = std::make_unique<tcp::acceptor>(io);
  acceptor->open(endpoint.protocol(), error);
  if (!error) {
    acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error && options.reuse_port) {
    acceptor->set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>(true), error);
  }
  if (!error) {
    acceptor->bind(endpoint, error);
  }
  if (!error) {
    acceptor->listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    throw_bind_error(error, options, flag);
  }
  return acceptor;
}

}  // namespace slipway::net
