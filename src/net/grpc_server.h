// A gRPC server that knows no service: a method is a route ("POST", "/package.Service/Method") of the same router,
// gate and observer that HttpServer takes. A handler's request body is one serialized message, its response's body the
// serialized answer; metadata are headers. So handlers, keys, limits and metrics are shared with HTTP.
//   unary: one message, one answer. A client that streams: a message at a time, in order. A handler that streams
//   (Responder::stream): each write() is one message.
//   A response of 400 and more becomes the gRPC status that says it (grpc_code_of), its body, or the "error" in it, the
//   message; Retry-After becomes grpc-retry-pushback-ms. A route that is not there is UNIMPLEMENTED.
// Owns its threads and sockets. start(), drain() and stop() are for one controlling thread; the rest is for any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/log.h"
#include "net/gate.h"
#include "net/router.h"
#include "net/server.h"

namespace slipway::net {

class GrpcServer {
 public:
  // Of the options these hold here: address, port, threads, max_header_bytes (metadata), max_body_bytes (a message),
  // max_connections (calls at a time; more are RESOURCE_EXHAUSTED), header_timeout_ms (a TLS handshake),
  // body_timeout_ms (the first message of a call), idle_timeout_ms (a connection without calls, a stream without
  // messages), handler_timeout_ms, write_timeout_ms, max_stream_buffer, reuse_port, tls_cert, tls_key. Messages are not
  // compressed: the library inflates without a bound. Throws as HttpServer's constructor. The log is borrowed.
  GrpcServer(ServerOptions options, Router router, base::Log& log, Observer observer = {}, Gate gate = {},
             SpanSink spans = {});
  // Stops at once: open calls are cancelled.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Throws as HttpServer::start().
  void start();
  int port() const;         // the real one, after start()
  std::string url() const;  // "127.0.0.1:8001", as gRPC's clients want it
  int in_flight() const;    // calls open now
  // As HttpServer::reload_tls.
  void reload_tls();

  // Takes no more calls, answers those under way, ends streams that wait for their client. Returns how many messages had
  // no answer when the deadline cut them off (0: a clean drain).
  int drain(std::chrono::milliseconds deadline);
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The number of the gRPC status that says an HTTP status: 400, 413 and 422 INVALID_ARGUMENT, 401 UNAUTHENTICATED, 403
// PERMISSION_DENIED, 404 NOT_FOUND, 408 and 504 DEADLINE_EXCEEDED, 409 ABORTED, 429 RESOURCE_EXHAUSTED, 499 CANCELLED,
// 501 UNIMPLEMENTED, 503 UNAVAILABLE, any other from 400 on INTERNAL; below 400 OK.
int grpc_code_of(int http_status) noexcept;

}  // namespace slipway::net
