#include "net/responder.h"

#include "net/exchange.h"

namespace slipway::net {

struct Responder::Guard {
  explicit Guard(std::shared_ptr<Exchange> exchange_in) : exchange(std::move(exchange_in)) {}
  ~Guard() { exchange->answer(error_response(500, "the server gave no answer to this request")); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  std::shared_ptr<Exchange> exchange;
};

Responder::Responder(std::shared_ptr<Exchange> exchange) : guard_(std::make_shared<Guard>(std::move(exchange))) {}

bool Responder::send(Response response) const {
  if (guard_ && change_) {
    return guard_->exchange->answer([change = change_, response = std::move(response)] { return change(response); });
  }
  return guard_ && guard_->exchange->answer(std::move(response));
}

bool Responder::send(std::function<Response()> make) const {
  if (guard_ && change_) {
    return guard_->exchange->answer([change = change_, make = std::move(make)] {
      try {
        return change(make());
      } catch (const std::exception& error) {
        return change(error_response(error));
      }
    });
  }
  return guard_ && guard_->exchange->answer(std::move(make));
}

Responder Responder::through(std::function<Response(Response)> change) const {
  Responder other = *this;
  other.change_ = std::move(change);
  return other;
}

bool Responder::wanted() const { return guard_ && guard_->exchange->wanted(); }

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

std::shared_ptr<RequestTrace> Responder::trace() const { return guard_ ? guard_->exchange->trace() : nullptr; }

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
