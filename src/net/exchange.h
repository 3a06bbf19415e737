// Private to net: what a Responder and its connection share. The responder's side is for any thread; the connection's
// side (attach, the loop's waits, take_*) only for its event loop. The connection may go first: then completing is a
// no-op.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/http.h"

namespace slipway::net {

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  enum class State { kPending, kAnswered, kStreaming, kEnded, kCut };

  Exchange(boost::asio::steady_timer& wake, size_t max_stream_buffer)
      : wake_(&wake), max_stream_buffer_(max_stream_buffer) {}

  // Whom the request counts for; set before the responder is handed out, constant from then on.
  void set_client(std::string client) { client_ = std::move(client); }
  const std::string& client() const noexcept { return client_; }
  // Kept until the connection and every copy of the responder have let go of this. Any thread.
  void keep(std::shared_ptr<void> lease);
  // The answer may take that long, where the server's options give it less. Any thread.
  void allow(std::chrono::milliseconds time);
  std::chrono::milliseconds allowed() const;

  // The responder's side. answer() and begin_stream() return false unless they were first.
  bool answer(Response response);
  bool answer(std::function<Response()> make);
  bool begin_stream(Response head);
  bool write(std::string_view bytes);
  void end_stream(bool clean);

  // The connection's side.
  State state() const;
  bool has_bytes() const;
  // The answer, or the head of the stream; runs `make` here.
  Response take_response();
  std::string take_bytes();
  // Nothing more is wanted: later answers and writes return false, and the timer is not touched again.
  void detach() noexcept;

 private:
  void wake_locked();

  std::shared_ptr<void> kept_;  // first: it goes last

  mutable std::mutex mutex_;
  boost::asio::steady_timer* wake_;  // null once detached
  size_t max_stream_buffer_;
  State state_ = State::kPending;
  std::string client_;
  std::chrono::milliseconds allowed_{0};
  Response response_;
  std::function<Response()> make_;
  std::string bytes_;
};

}  // namespace slipway::net
