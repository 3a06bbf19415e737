// Private to net: what a Responder and its HTTP connection share. The connection's side (the constructor, state, take_*,
// detach) is only for its event loop. The connection may go first: then completing is a no-op.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/exchange.h"

namespace slipway::net {

class HttpExchange final : public Exchange, public std::enable_shared_from_this<HttpExchange> {
 public:
  enum class State { kPending, kAnswered, kStreaming, kEnded, kCut };

  HttpExchange(boost::asio::steady_timer& wake, size_t max_stream_buffer)
      : wake_(&wake), max_stream_buffer_(max_stream_buffer) {}

  bool answer(Response response) override;
  bool answer(std::function<Response()> make) override;
  bool begin_stream(Response head) override;
  bool write(std::string_view bytes) override;
  void end_stream(bool clean) override;
  bool wanted() const override;

  // The connection's side. Before it looks for what it will wait for: from then on the timer is ended by what comes.
  void expect_wake() {
    const std::lock_guard lock(mutex_);
    waits_ = true;
  }
  State state() const;
  bool has_bytes() const;
  // The answer, or the head of the stream; runs `make` here.
  Response take_response();
  std::string take_bytes();
  // Nothing more is wanted: later answers and writes return false, and the timer is not touched again.
  void detach() noexcept;

 private:
  void wake_locked();

  mutable std::mutex mutex_;
  boost::asio::steady_timer* wake_;  // null once detached
  bool waits_ = false;                 // what is answered at once, on the loop's thread, wakes nobody
  size_t max_stream_buffer_;
  State state_ = State::kPending;
  Response response_;
  std::function<Response()> make_;
  std::string bytes_;
};

}  // namespace slipway::net
