#include "net/exchange.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "net/responder.h"

namespace slipway::net {

// The timer belongs to the loop's thread: cancelling it goes through the loop. It is alive there until detach(), which
// runs on the loop; a cancel that comes after it finds wake_ null.
void Exchange::wake_locked() {
  if (wake_ != nullptr) {
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

void Exchange::keep(std::shared_ptr<void> lease) {
  const std::lock_guard lock(mutex_);
  kept_ = std::move(lease);
}

void Exchange::allow(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  allowed_ = time;
}

std::chrono::milliseconds Exchange::allowed() const {
  const std::lock_guard lock(mutex_);
  return allowed_;
}

bool Exchange::answer(Response response) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  response_ = std::move(response);
  state_ = State::kAnswered;
  wake_locked();
  return true;
}

bool Exchange::answer(std::function<Response()> make) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  make_ = std::move(make);
  state_ = State::kAnswered;
  wake_locked();
  return true;
}

bool Exchange::begin_stream(Response head) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || wake_ == nullptr) {
    return false;
  }
  response_ = std::move(head);
  state_ = State::kStreaming;
  wake_locked();
  return true;
}

bool Exchange::write(std::string_view bytes) {
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

void Exchange::end_stream(bool clean) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kStreaming) {
    state_ = clean ? State::kEnded : State::kCut;
    wake_locked();
  }
}

Exchange::State Exchange::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool Exchange::has_bytes() const {
  const std::lock_guard lock(mutex_);
  return !bytes_.empty();
}

Response Exchange::take_response() {
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

std::string Exchange::take_bytes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(bytes_, {});
}

// An answer that nobody takes any more may hold its responder, and so this.
void Exchange::detach() noexcept {
  std::function<Response()> make;
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
  make.swap(make_);
}

struct Responder::Guard {
  explicit Guard(std::shared_ptr<Exchange> exchange_in) : exchange(std::move(exchange_in)) {}
  ~Guard() { exchange->answer(error_response(500, "the server gave no answer to this request")); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  std::shared_ptr<Exchange> exchange;
};

Responder::Responder(std::shared_ptr<Exchange> exchange) : guard_(std::make_shared<Guard>(std::move(exchange))) {}

bool Responder::send(Response response) const { return guard_ && guard_->exchange->answer(std::move(response)); }

bool Responder::send(std::function<Response()> make) const {
  return guard_ && guard_->exchange->answer(std::move(make));
}

std::string Responder::client() const { return guard_ ? guard_->exchange->client() : std::string(); }

void Responder::keep(std::shared_ptr<void> lease) const {
  if (guard_) {
    guard_->exchange->keep(std::move(lease));
  }
}

void Responder::allow(std::chrono::milliseconds time) const {
  if (guard_) {
    guard_->exchange->allow(time);
  }
}

bool Responder::fail(const std::exception& error) const { return send(error_response(error)); }

StreamWriter Responder::stream(Response head) const {
  if (!guard_ || !guard_->exchange->begin_stream(std::move(head))) {
    return {};
  }
  return StreamWriter(guard_->exchange);
}

struct StreamWriter::Guard {
  explicit Guard(std::shared_ptr<Exchange> exchange_in) : exchange(std::move(exchange_in)) {}
  ~Guard() { exchange->end_stream(false); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  std::shared_ptr<Exchange> exchange;
};

StreamWriter::StreamWriter(std::shared_ptr<Exchange> exchange) : guard_(std::make_shared<Guard>(std::move(exchange))) {}

bool StreamWriter::write(std::string_view bytes) { return guard_ && guard_->exchange->write(bytes); }

bool StreamWriter::write_event(std::string_view data) {
  std::string event;
  while (true) {
    const size_t end = data.find('\n');
    event.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) {
      break;
    }
    data.remove_prefix(end + 1);
  }
  return write(event + "\n");
}

void StreamWriter::finish() {
  if (guard_) {
    guard_->exchange->end_stream(true);
  }
}

}  // namespace slipway::net
