#include "net/grpc_server.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdlib>
#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "net/grpc_call.h"
#include "net/grpc_tls.h"
#include "net/listening.h"

namespace slipway::net {

namespace asio = boost::asio;

namespace {

constexpr int kStreamsOfConnection = 1024;  // calls at a time of one client's connection; more wait there

// Where the library says nothing on standard error unless it was asked to (its own variables): only the command line
// prints here, and what matters comes back as a status.
void quiet_library() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr && std::getenv("GRPC_TRACE") == nullptr) {
    gpr_set_log_function([](gpr_log_func_args* /*message*/) {});
  }
}

std::string endpoint(const std::string& address, int port) {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

}  // namespace

struct GrpcServer::Impl final : public grpc::CallbackGenericService {
  Impl(ServerOptions options, Router router, base::Log& log, Observer observer, Gate gate, SpanSink spans)
      : shared{std::move(options), std::move(router), log, std::move(observer), std::move(gate), std::move(spans), {}, {}, {}, {}, {}, {}} {
    ServerOptions& made = shared.options;
    made.check();
    if (made.tls_cert.empty() != made.tls_key.empty()) {
      throw base::Error(base::Code::kInvalid, "TLS needs both a certificate (tls_cert) and its private key (tls_key)");
    }
    if (!made.tls_cert.empty()) {
      certificate = std::make_unique<GrpcCertificate>(made.tls_cert, made.tls_key);
    }
    for (int i = 0; i < made.threads; ++i) {
      loops.push_back(std::make_unique<GrpcLoop>());
    }
  }

  // One of the library's threads.
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return GrpcCall::begin(shared, *loops[next.fetch_add(1) % loops.size()], context);
  }

  void listen();
  int stop(std::chrono::milliseconds deadline);

  GrpcShared shared;
  std::unique_ptr<GrpcCertificate> certificate;  // null: plain
  std::vector<std::unique_ptr<GrpcLoop>> loops;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::vector<std::thread> threads;
  std::atomic<size_t> next{0};
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

void GrpcServer::Impl::listen() {
  const ServerOptions& options = shared.options;
  quiet_library();
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(this);
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<int64_t>(options.max_body_bytes, std::numeric_limits<int>::max())));
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, options.reuse_port ? 1 : 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_header_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.idle_timeout_ms);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, options.header_timeout_ms);
  int bound = 0;
  builder.AddListeningPort(endpoint(options.address, options.port),
                           certificate ? certificate->credentials() : grpc::InsecureServerCredentials(), &bound);
  server = builder.BuildAndStart();
  if (!server || bound <= 0) {
    server.reset();
    asio::io_context io;
    listen_on(io, options, "--grpc-port");  // throws what is wrong
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("cannot listen on {} for gRPC", endpoint(options.address, options.port)));
  }
  port = bound;
}

int GrpcServer::Impl::stop(std::chrono::milliseconds deadline) {
  if (!server) {
    return 0;
  }
  const auto end = std::chrono::steady_clock::now() + deadline;
  shared.drain_deadline.store(end.time_since_epoch().count());
  shared.draining.store(true);
  for (const auto& loop : loops) {
    asio::post(loop->io, [loop = loop.get()] {
      for (GrpcCall* call : std::vector<GrpcCall*>(loop->calls.begin(), loop->calls.end())) {
        call->retire();
      }
    });
  }
  server->Shutdown(std::chrono::system_clock::now() + deadline);
  {
    std::unique_lock lock(shared.mutex);
    shared.ended.wait(lock, [this] { return shared.calls.load() == 0; });
  }
  server.reset();
  guards.clear();
  for (std::thread& thread : threads) {
    thread.join();
  }
  threads.clear();
  return shared.cut.load();
}

GrpcServer::GrpcServer(ServerOptions options, Router router, base::Log& log, Observer observer, Gate gate, SpanSink spans)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router), log, std::move(observer), std::move(gate),
                                   std::move(spans))) {}

GrpcServer::~GrpcServer() { stop(); }

void GrpcServer::start() {
  for (const auto& loop : impl_->loops) {
    impl_->guards.push_back(asio::make_work_guard(loop->io));
    impl_->threads.emplace_back([&io = loop->io] { io.run(); });
  }
  try {
    impl_->listen();
  } catch (...) {
    impl_->guards.clear();
    for (std::thread& thread : impl_->threads) {
      thread.join();
    }
    impl_->threads.clear();
    throw;
  }
}

int GrpcServer::port() const { return impl_->port; }
std::string GrpcServer::url() const { return endpoint(impl_->shared.options.address, impl_->port); }
int GrpcServer::in_flight() const { return impl_->shared.calls.load(); }

void GrpcServer::reload_tls() {
  if (impl_->certificate) {
    impl_->certificate->reload();
  }
}

int GrpcServer::drain(std::chrono::milliseconds deadline) { return impl_->stop(deadline); }
void GrpcServer::stop() { impl_->stop(std::chrono::milliseconds(0)); }

}  // namespace slipway::net
