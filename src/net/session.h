// Private to net: one connection, a coroutine on its event loop, and what all connections of a server share.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "net/connection.h"
#include "net/dispatch.h"
#include "net/http_exchange.h"
#include "net/server.h"
#include "net/tls.h"
#include "net/wire.h"

namespace slipway::net {

class Session;

struct Shared {
  ServerOptions options;
  std::shared_ptr<const Router> router;  // see current_router()
  base::Log& log;
  Observer observer;
  Gate gate;
  SpanSink spans;                       // empty: nobody traces
  std::unique_ptr<TlsCertificate> tls;  // null: plain
  std::atomic<bool> draining{false};
  std::atomic<bool> listening{false};
  std::atomic<int> connections{0};  // counted where they are accepted, until their session has gone
  std::atomic<int> in_flight{0};
  std::mutex mutex;                 // only for waiting on `changed`
  std::condition_variable changed;  // while draining: a request, a connection or the listening has ended
  mutable std::mutex router_mutex;  // guards router; held for a copy only

  std::shared_ptr<const Router> current_router() const {
    const std::lock_guard lock(router_mutex);
    return router;
  }

  void tell_drain() {
    if (draining.load()) {
      const std::lock_guard lock(mutex);
      changed.notify_all();
    }
  }
};

// One event loop; `sessions` belongs to its thread.
struct Loop {
  std::unordered_set<Session*> sessions;  // before io: its coroutines leave the set when io goes
  boost::asio::io_context io{1};
};

// A time limit on the operations of a socket: when it passes they end with operation_aborted and fired() is true; the
// socket stays open, so that the client can be told. One loop's thread. A request has four of them, of which none passes: so the
// timer that runs is left to run, and looks when it ends which limit there is by then.
class Deadline {
 public:
  explicit Deadline(boost::asio::ip::tcp::socket& socket);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  void arm(int milliseconds);
  void disarm();
  bool fired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class Session {
 public:
  Session(boost::asio::ip::tcp::socket socket, Loop& loop, Shared& shared);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Lives as long as the connection; owns the session through the parameter.
  static boost::asio::awaitable<void> run(std::unique_ptr<Session> session);
  // On the loop's thread, when the server drains: ends it once it has been quiet for kDrainQuiet. A request in flight
  // is answered first.
  void retire();

 private:
  struct Arrived;                              // a request, with what its head says about the connection
  enum class Next { kKeep, kClose, kLinger };  // kLinger: the client may still be sending; let it read our answer

  boost::asio::awaitable<bool> begin_tls();
  boost::asio::awaitable<void> refuse_plain();
  boost::asio::awaitable<void> end_tls();
  boost::asio::awaitable<bool> wait_for_bytes();
  boost::asio::awaitable<Next> serve_one();
  boost::asio::awaitable<bool> read_message(Arrived& arrived, wire::Refusal& refusal, bool& silent);
  boost::asio::awaitable<Admission> admit(const Request& request);
  boost::asio::awaitable<void> read_body(wire::Parser& parser, Arrived& arrived, boost::system::error_code& error);
  boost::asio::awaitable<void> drop_body(wire::Parser& parser, Arrived& arrived);
  boost::asio::awaitable<void> read_upload(wire::Parser& parser, const Router::Match& match, Request& request,
                                           boost::system::error_code& error);
  boost::asio::awaitable<Next> handle(Arrived& arrived);
  boost::asio::awaitable<bool> wait_for_answer(HttpExchange& exchange, boost::asio::steady_timer& timer);
  boost::asio::awaitable<bool> send(const Response& response, bool keep_alive, bool http_1_0, bool head_only,
                                    const std::string& request_id);
  boost::asio::awaitable<bool> send_file(const FileBody& file);
  boost::asio::awaitable<bool> send_stream(HttpExchange& exchange, boost::asio::steady_timer& timer, bool http_1_0,
                                           const std::string& request_id, const Headers& more, int& status);
  boost::asio::awaitable<void> linger();

  Connection connection_;
  boost::asio::ip::tcp::socket& socket_;  // the connection's
  Deadline deadline_;
  boost::beast::flat_buffer buffer_;
  Loop& loop_;
  Shared& shared_;
  std::string peer_;
  bool from_loopback_ = false;
  bool waiting_ = false;                               // for the first byte of a request
  std::chrono::steady_clock::time_point quiet_since_;  // while waiting
};

}  // namespace slipway::net
