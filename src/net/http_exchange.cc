#include "net/http_exchange.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace slipway::net {

// The timer belongs to the loop's thread: cancelling it goes through the loop. It is alive there until detach(), which
// runs on the loop; a cancel that comes after it finds wake_ null.
void HttpExchange::wake_locked() {
  if (wake_ != nullptr && waits_) {
    boost::asio::post(wake_->get_executor(), [self = weak_from_this()] {
      if (const auto exchange = self.lock()) {
        const std::lock_guard lock(exchange->mutex_);
        if (exchange->wake_ != nullptr) {
          exchange->wake_->cancel();
        }
      }
    });
  }
}

bool HttpExchange::answer(Response response) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  response_ = std::move(response);
  state_ = State::kAnswered;
  wake_locked();
  return true;
}

bool HttpExchange::answer(std::function<Response()> make) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  make_ = std::move(make);
  state_ = State::kAnswered;
  wake_locked();
  return true;
}

bool HttpExchange::begin_stream(Response head) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  response_ = std::move(head);
  state_ = State::kStreaming;
  wake_locked();
  return true;
}

bool HttpExchange::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming || wake_ == nullptr) {
    return false;
  }
  if (bytes_.size() + bytes.size() > max_stream_buffer_) {
    state_ = State::kCut;
    wake_locked();
    return false;
  }
  bytes_ += bytes;
  wake_locked();
  return true;
}

void HttpExchange::end_stream(bool clean) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kStreaming) {
    state_ = clean ? State::kEnded : State::kCut;
    wake_locked();
  }
}

bool HttpExchange::wanted() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::kPending && wake_ != nullptr;
}

HttpExchange::State HttpExchange::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool HttpExchange::has_bytes() const {
  const std::lock_guard lock(mutex_);
  return !bytes_.empty();
}

Response HttpExchange::take_response() {
  std::function<Response()> make;
  {
    const std::lock_guard lock(mutex_);
    if (!make_) {
      return std::move(response_);
    }
    make = std::move(make_);
  }
  try {
    return make();
  } catch (const std::exception& error) {
    return error_response(error);
  }
}

std::string HttpExchange::take_bytes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(bytes_, {});
}

// What was answered and not taken holds what the handler holds, its responder and so this exchange too: it must go here.
void HttpExchange::detach() noexcept {
  std::function<Response()> make;  // released without the lock
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
  make.swap(make_);
}

}  // namespace slipway::net
