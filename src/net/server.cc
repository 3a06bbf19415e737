#include "net/server.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include "net/listening.h"
#include "net/session.h"

namespace slipway::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kSpareFiles = 64;  // descriptors beside connections: store, model, log
// How long a handshake that has begun may take to end: on the loopback device it is over within connect(), unless the
// kernel puts its work off; elsewhere it takes a round trip.
constexpr std::chrono::milliseconds kLoopbackHandshake{5};
constexpr std::chrono::milliseconds kHandshake{200};
// How long a draining server still takes new connections, to answer 503: clients whose last answer said "close" come
// back at once, and would else wait a second until their system asks again. Not where another server shares the port.
constexpr std::chrono::milliseconds kRefuseInWords{20};

// As many descriptors as connections are allowed, within what the system grants this process.
void raise_file_limit(int connections) {
  rlimit limit{};
  const auto wanted = static_cast<rlim_t>(connections + kSpareFiles);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// Lets the kernel drop what would open a new connection (TCP segments with SYN) and nothing else: the clients send it
// again after a second and find the port closed, or another server on it. A classic BPF program, which sees the segment
// from its TCP header on (Linux, Documentation/networking/filter.rst). Where the system has no such thing the listener
// closes without it, and only a connection made in the microseconds between may be reset.
void drop_new_connections(int listener) {
  constexpr uint32_t kFlagsOffset = 13;  // RFC 9293, 3.1
  constexpr uint32_t kSyn = 0x02;
  constexpr uint32_t kWholeSegment = 0xFFFFFFFF;
  std::array<sock_filter, 4> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, kWholeSegment),
  }};
  const sock_fprog filter{program.size(), program.data()};
  setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
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
  table.add("tls_cert", tls_cert, "PEM certificate and chain: serve HTTPS; read again at SIGHUP");
  table.add("tls_key", tls_key, "PEM private key of --tls-cert");
}

struct HttpServer::Impl {
  Impl(ServerOptions options, Router router, base::Log& log, Observer observer, Gate gate, SpanSink spans)
      : shared{std::move(options),
               std::make_shared<const Router>(std::move(router)),
               log,
               std::move(observer),
               std::move(gate),
               std::move(spans),
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {}} {
    const ServerOptions& ours = shared.options;
    if (ours.tls_cert.empty() != ours.tls_key.empty()) {
      throw base::Error(base::Code::kInvalid, "TLS needs both a certificate (tls_cert) and its private key (tls_key)");
    }
    if (!ours.tls_cert.empty()) {
      shared.tls = std::make_unique<TlsCertificate>(ours.tls_cert, ours.tls_key);
    }
    for (int i = 0; i < shared.options.threads; ++i) {
      loops.push_back(std::make_unique<Loop>());
    }
  }

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> stop_listening();
  Loop& next_loop();
  void adopt(tcp::socket socket, Loop& loop);
  void retire_sessions();
  void join();

  Shared shared;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::vector<std::thread> threads;
  std::unique_ptr<tcp::acceptor> acceptor;  // belongs to the first loop's thread once started
  size_t next = 0;                          // loop, in turn; the same thread's
  int port = 0;
};

void ServerOptions::check() {
  base::FieldTable table;
  describe(table);
  ServerOptions checked;
  base::FieldTable checker;
  checked.describe(checker);
  checker.apply(table.to_json(), "server options");  // the ranges
}

HttpServer::HttpServer(ServerOptions options, Router router, base::Log& log, Observer observer, Gate gate,
                       SpanSink spans) {
  options.check();
  impl_ = std::make_unique<Impl>(std::move(options), std::move(router), log, std::move(observer), std::move(gate),
                                 std::move(spans));
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::replace_router(Router router) {
  auto next = std::make_shared<const Router>(std::move(router));
  const std::lock_guard lock(impl_->shared.router_mutex);
  impl_->shared.router.swap(next);
}

void HttpServer::start() {
  const ServerOptions& options = impl_->shared.options;
  raise_file_limit(options.max_connections);
  auto acceptor = listen_on(impl_->loops.front()->io, options, "--port");
  impl_->port = acceptor->local_endpoint().port();
  impl_->acceptor = std::move(acceptor);
  impl_->shared.listening.store(true);
  asio::co_spawn(impl_->loops.front()->io, impl_->accept_loop(), asio::detached);
  for (const auto& loop : impl_->loops) {
    impl_->guards.push_back(asio::make_work_guard(loop->io));
    impl_->threads.emplace_back([&io = loop->io] { io.run(); });
  }
}

Loop& HttpServer::Impl::next_loop() {
  Loop& loop = *loops[next];
  next = (next + 1) % loops.size();
  return loop;
}

// The session is made on its own loop's thread: its set of sessions belongs to it.
void HttpServer::Impl::adopt(tcp::socket socket, Loop& loop) {
  shared.connections.fetch_add(1);
  asio::post(loop.io, [this, &loop, moved = std::make_shared<tcp::socket>(std::move(socket))] {
    asio::co_spawn(loop.io, Session::run(std::make_unique<Session>(std::move(*moved), loop, shared)), asio::detached);
  });
}

asio::awaitable<void> HttpServer::Impl::accept_loop() {
  while (acceptor->is_open()) {
    Loop& loop = next_loop();
    error_code error;
    tcp::socket socket(loop.io);
    co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
      break;
    }
    if (error) {
      // Out of descriptors, most likely: a pause instead of a hot loop.
      shared.log.warning("cannot accept a connection", {{"error", error.message()}});
      asio::steady_timer pause(loops.front()->io, std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    adopt(std::move(socket), loop);
  }
  shared.listening.store(false);
  shared.tell_drain();
}

// Closing a listening socket resets the connections in its queue, whose clients may have sent a request. So: no new
// handshakes; those begun may end (the accept loop goes on); what is queued then gets a session; the queue, now empty
// and without inflow, is closed.
asio::awaitable<void> HttpServer::Impl::stop_listening() {
  error_code error;
  asio::steady_timer timer(loops.front()->io);
  if (!shared.options.reuse_port) {
    timer.expires_after(kRefuseInWords);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  drop_new_connections(acceptor->native_handle());
  timer.expires_after(acceptor->local_endpoint(error).address().is_loopback() ? kLoopbackHandshake : kHandshake);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  acceptor->non_blocking(true, error);
  while (!error) {
    Loop& loop = next_loop();
    tcp::socket socket(loop.io);
    acceptor->accept(socket, error);
    if (!error) {
      adopt(std::move(socket), loop);
    }
  }
  acceptor->close(error);
}

void HttpServer::Impl::retire_sessions() {
  for (const auto& loop : loops) {
    asio::post(loop->io, [loop = loop.get()] {
      for (Session* session : loop->sessions) {
        session->retire();
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
  return fmt::format("{}://{}:{}", impl_->shared.tls ? "https" : "http", host, impl_->port);
}

void HttpServer::reload_tls() {
  if (impl_->shared.tls) {
    impl_->shared.tls->reload();
    impl_->shared.log.info("the TLS certificate was read again");
  }
}

int HttpServer::connections() const { return impl_->shared.connections.load(); }
int HttpServer::in_flight() const { return impl_->shared.in_flight.load(); }
bool HttpServer::draining() const { return impl_->shared.draining.load(); }

int HttpServer::drain(std::chrono::milliseconds deadline) {
  Shared& shared = impl_->shared;
  if (impl_->threads.empty()) {
    return 0;
  }
  shared.draining.store(true);
  asio::co_spawn(impl_->loops.front()->io, impl_->stop_listening(), asio::detached);
  impl_->retire_sessions();
  {
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_for(lock, deadline, [&] { return !shared.listening.load() && shared.connections.load() == 0; });
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
