// An HTTP/1.1 server, over TLS 1.2 or newer when it has a certificate: coroutines on one event loop a thread, a
// connection stays on its loop. It owns its sockets and threads; the router's handlers run on the loops. Limits hold
// before memory is spent: headers, body, connections, time. start(), drain() and stop() are for one controlling thread;
// the rest is for any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/fields.h"
#include "base/log.h"
#include "net/gate.h"
#include "net/router.h"
#include "net/trace.h"

namespace slipway::net {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;                                // 0 takes a free one
  int threads = 1;                             // event loops
  int max_header_bytes = 64 << 10;             // request line and headers; more is 431
  int max_headers = 100;                       // more is 431
  int64_t max_body_bytes = int64_t{32} << 20;  // also after decompression; more is 413
  int max_connections = 4096;                  // more get 503 and are closed
  int header_timeout_ms = 10'000;              // from the first byte of a request to the end of its headers; then 408
  int body_timeout_ms = 30'000;                // for the whole body; then 408
  int idle_timeout_ms = 60'000;                // of a kept connection between requests; then closed
  int handler_timeout_ms = 120'000;            // until the responder must be completed; then 504
  int write_timeout_ms = 30'000;               // for a client to take one response (or one piece of a stream)
  int max_stream_buffer = 1 << 20;             // bytes that may wait for a slow reader of a stream
  bool keep_alive = true;
  bool compress = true;     // gzip or deflate responses of 1 KiB to 1 MiB when the client accepts it
  bool reuse_port = false;  // several servers on one port: the next one listens before the last one drains
  std::string tls_cert;     // PEM file: the certificate, then its chain; empty: no TLS
  std::string tls_key;      // PEM file: the certificate's private key

  void describe(base::FieldTable& table);
  // Throws Error(kInvalid) naming a field that is out of its range.
  void check();
};

// How one exchange ended; for metrics and logs. Called on the network thread: be short.
struct Finished {
  std::string_view method;
  std::string_view route;  // pattern; "" when none matched
  std::string_view request_id;
  std::string_view client;  // as the gate said
  int status = 0;
  double seconds = 0;  // from the end of the request's body to the last byte handed to the system
};
using Observer = std::function<void(const Finished&)>;

class HttpServer {
 public:
  // Throws Error(kInvalid) for options out of range, kNotFound or kInvalid for a certificate or key that is not there
  // or does not fit. The log is borrowed. With `spans` each request is traced (trace.h).
  HttpServer(ServerOptions options, Router router, base::Log& log, Observer observer = {}, Gate gate = {},
             SpanSink spans = {});
  // Stops at once: open connections are closed.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens and returns; throws Error(kUnavailable) naming the port when it is taken, kInvalid for an address that is
  // not ours, kNotAllowed for a port that needs rights.
  void start();
  int port() const;         // the real one, after start()
  std::string url() const;  // "http://127.0.0.1:8080"; "https://…" with TLS
  int connections() const;  // open now
  int in_flight() const;    // requests whose first byte came and whose response is not out
  bool draining() const;    // drain() or stop() has begun
  // Other routes for the requests that come from now on; those under way keep theirs. Any thread.
  void replace_router(Router router);
  // Reads certificate and key again: new connections get them, open ones keep theirs. Throws as the constructor, and
  // then the old ones stay. Nothing without TLS. Any thread.
  void reload_tls();

  // Stops listening, in an order that resets no connection a client has already (see stop_listening in server.cc).
  // Requests in flight are answered; those that still arrive, also on connections the kernel had queued, get 503,
  // Connection: close and Retry-After; a connection is closed once it has been quiet for a quarter of a second.
  // Returns when no connection is left, or at the deadline: how many requests had to be cut off (0: a clean drain).
  int drain(std::chrono::milliseconds deadline);
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::net
