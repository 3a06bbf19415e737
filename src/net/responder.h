// The way back: a handler gets a Responder, keeps it as long as it needs, and completes it once, from any thread. When
// the last copy is dropped without an answer the client gets 500, so no request hangs because of a forgotten path.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.h"

namespace slipway::net {

class RequestTrace;  // net/trace.h
class Exchange;  // private to net: the transport's side

// A body sent piece by piece (chunked), e.g. server-sent events. Any thread, one at a time.
class StreamWriter {
 public:
  StreamWriter() = default;
  explicit StreamWriter(std::shared_ptr<Exchange> exchange);
  // Queues bytes. False when the client has gone, or is so slow that more than ServerOptions::max_stream_buffer bytes
  // wait for it (the connection is closed then): stop producing.
  bool write(std::string_view bytes);
  // "data: …\n\n" with every line of `data` prefixed.
  bool write_event(std::string_view data);
  // Ends the body. Dropping the last copy without it cuts the connection, so that the client sees an unfinished body.
  void finish();

 private:
  struct Guard;  // cuts the connection when the last copy goes
  std::shared_ptr<Guard> guard_;
};

// Copyable handle of one exchange.
class Responder {
 public:
  Responder() = default;
  explicit Responder(std::shared_ptr<Exchange> exchange);

  // False when it was answered already, or the request timed out and was answered for you. Any thread.
  bool send(Response response) const;
  // The same, with the response made by `make` on the connection's network thread: what must be rendered does not
  // burden the caller (a scheduler thread). What `make` throws becomes error_response. `make` must be short.
  bool send(std::function<Response()> make) const;
  // Sends the head and gives the way to stream the body (Content-Length is not set, chunked is).
  StreamWriter stream(Response head) const;
  // A responder of the same exchange whose answer goes through `change` first, on the network thread: another protocol's
  // form for it. Streams do not, nor the 500 of a responder that was dropped.
  Responder through(std::function<Response(Response)> change) const;
  // error_response(error).
  bool fail(const std::exception& error) const;
  // Nobody has answered yet, nor has the client gone, as far as its transport tells: what is not wanted need not be
  // computed. Any thread.
  bool wanted() const;
  // Whom the request counts for, as the server's gate said (gate.h): the name of an API key, or "".
  std::string client() const;
  // Keeps `lease` until the exchange has ended and every copy of this responder and of its stream is gone: what the
  // handler borrows. Once; the thread that lets the last copy go releases it.
  void keep(std::shared_ptr<void> lease) const;
  // The answer may take that long, where ServerOptions::handler_timeout_ms is less.
  void allow(std::chrono::milliseconds time) const;
  // Where to note what a trace tells of the request; null when nobody traces it. May be kept.
  std::shared_ptr<RequestTrace> trace() const;

 private:
  struct Guard;  // answers 500 when the last copy goes
  std::shared_ptr<Guard> guard_;
  std::function<Response(Response)> change_;  // empty: none
};

}  // namespace slipway::net
