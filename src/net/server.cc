#include "net/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

#include "net/session.h"

namespace slipway::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kSpareFiles = 64;  // descriptors beside connections: store, model, log

// As many descriptors as connections are allowed, within what the system grants this process.
void raise_file_limit(int connections) {
  rlimit limit{};
  const auto wanted = static_cast<rlim_t>(connections + kSpareFiles);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

[[noreturn]] void throw_bind_error(const error_code& error, const ServerOptions& options) {
  const std::string where = fmt::format("{}:{}", options.address, options.port);
  if (error == asio::error::address_in_use) {
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("port {} is busy: another program listens on {}; stop it, or choose another port "
                                  "(--port 0 takes a free one)",
                                  options.port, where));
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

void ServerOptions::describe(base::FieldTable& table) {
  table.add("address", address, "Address to listen on; anything but 127.0.0.1 lets others in");
  table.add("port", port, "Port to listen on; 0 takes a free one", {0, 65'535});
  table.add("http_threads", threads, "Network threads", {1, 64});
  table.add("max_header_bytes", max_header_bytes, "Largest request line and headers in bytes", {1'024, 1 << 20});
  table.add("max_headers", max_headers, "Most headers of a request", {1, 10'000});
  table.add("max_body_bytes", max_body_bytes, "Largest body in bytes, also after decompression", {1, 1e12});
  table.add("max_connections", max_connections, "Most connections at a time", {1, 1'000'000});
  table.add("header_timeout_ms", header_timeout_ms, "Time for a request's headers to arrive", {1, 3'600'000});
  table.add("body_timeout_ms", body_timeout_ms, "Time for a request's body to arrive", {1, 3'600'000});
  table.add("idle_timeout_ms", idle_timeout_ms, "Time a quiet connection is kept", {1, 86'400'000});
  table.add("request_timeout_ms", handler_timeout_ms, "Time for an answer to be found", {1, 86'400'000});
  table.add("write_timeout_ms", write_timeout_ms, "Time for a client to take a response", {1, 3'600'000});
  table.add("max_stream_buffer", max_stream_buffer, "Bytes that may wait for a slow reader of a stream", {1, 1e9});
  table.add("keep_alive", keep_alive, "Keep connections open between requests");
  table.add("compress", compress, "Compress responses when the client accepts it");
  table.add("reuse_port", reuse_port, "Let another server listen on the same port");
}

struct HttpServer::Impl {
  Impl(ServerOptions options, Router router, base::Log& log, Observer observer)
      : shared{std::move(options), std::move(router), log, std::move(observer), {}, {}, {}, {}, {}} {
    for (int i = 0; i < shared.options.threads; ++i) {
      loops.push_back(std::make_unique<Loop>());
    }
  }

  asio::awaitable<void> accept_loop();
  void close_acceptor();
  void shut_sessions(bool idle_only);
  void join();

  Shared shared;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::vector<std::thread> threads;
  std::unique_ptr<tcp::acceptor> acceptor;  // belongs to the first loop's thread once started
  int port = 0;
};

HttpServer::HttpServer(ServerOptions options, Router router, base::Log& log, Observer observer) {
  base::FieldTable table;
  options.describe(table);
  ServerOptions checked;
  base::FieldTable checker;
  checked.describe(checker);
  checker.apply(table.to_json(), "server options");  // the ranges
  impl_ = std::make_unique<Impl>(std::move(options), std::move(router), log, std::move(observer));
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::start() {
  const ServerOptions& options = impl_->shared.options;
  raise_file_limit(options.max_connections);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is not an IP address; use 127.0.0.1, 0.0.0.0 or ::", options.address));
  }
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options.port));
  auto acceptor = std::make_unique<tcp::acceptor>(impl_->loops.front()->io);
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
    throw_bind_error(error, options);
  }
  impl_->port = acceptor->local_endpoint().port();
  impl_->acceptor = std::move(acceptor);
  asio::co_spawn(impl_->loops.front()->io, impl_->accept_loop(), asio::detached);
  for (const auto& loop : impl_->loops) {
    impl_->guards.push_back(asio::make_work_guard(loop->io));
    impl_->threads.emplace_back([&io = loop->io] { io.run(); });
  }
}

asio::awaitable<void> HttpServer::Impl::accept_loop() {
  size_t next = 0;
  while (acceptor->is_open()) {
    Loop& loop = *loops[next];
    next = (next + 1) % loops.size();
    error_code error;
    tcp::socket socket(loop.io);
    co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
      co_return;
    }
    if (error) {
      // Out of descriptors, most likely: a pause instead of a hot loop.
      shared.log.warning("cannot accept a connection", {{"error", error.message()}});
      asio::steady_timer pause(loops.front()->io, std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    // The session is made on its own loop's thread: its set of sessions belongs to it.
    asio::post(loop.io, [this, &loop, moved = std::make_shared<tcp::socket>(std::move(socket))] {
      asio::co_spawn(loop.io, Session::run(std::make_unique<Session>(std::move(*moved), loop, shared)), asio::detached);
    });
  }
}

void HttpServer::Impl::close_acceptor() {
  if (!acceptor) {
    return;
  }
  asio::post(loops.front()->io, [this] {
    error_code error;
    acceptor->close(error);
  });
}

void HttpServer::Impl::shut_sessions(bool idle_only) {
  for (const auto& loop : loops) {
    asio::post(loop->io, [loop = loop.get(), idle_only] {
      for (Session* session : loop->sessions) {
        session->shut(idle_only);
      }
    });
  }
}

void HttpServer::Impl::join() {
  guards.clear();
  for (const auto& loop : loops) {
    loop->io.stop();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  threads.clear();
  // No thread runs the loops any more: destroying them ends their connections and detaches what waits for answers.
  acceptor.reset();
  loops.clear();
}

int HttpServer::port() const { return impl_->port; }

std::string HttpServer::url() const {
  const std::string& address = impl_->shared.options.address;
  const std::string host = address == "0.0.0.0" || address == "::"  ? "127.0.0.1"
                           : address.find(':') != std::string::npos ? "[" + address + "]"
                                                                    : address;
  return fmt::format("http://{}:{}", host, impl_->port);
}

int HttpServer::connections() const { return impl_->shared.connections.load(); }
int HttpServer::in_flight() const { return impl_->shared.in_flight.load(); }

int HttpServer::drain(std::chrono::milliseconds deadline) {
  Shared& shared = impl_->shared;
  if (impl_->threads.empty()) {
    return 0;
  }
  shared.draining.store(true);
  impl_->close_acceptor();
  {
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_for(lock, deadline, [&] { return shared.in_flight.load() == 0; });
  }
  impl_->shut_sessions(true);
  {
    // What was between two requests ends by itself; a moment for what was read meanwhile to be refused in words.
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_for(lock, std::min(deadline, std::chrono::milliseconds(100)),
                            [&] { return shared.in_flight.load() == 0; });
  }
  const int cut = shared.in_flight.load();
  stop();
  return cut;
}

void HttpServer::stop() {
  if (!impl_ || impl_->threads.empty()) {
    return;
  }
  impl_->shared.draining.store(true);
  impl_->join();
}

}  // namespace slipway::net
