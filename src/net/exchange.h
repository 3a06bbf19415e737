// Private to net: what a Responder completes, whatever carries it: an HTTP connection (http_exchange.h) or a gRPC call
// (grpc_call.h). Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/trace.h"

namespace slipway::net {

class Exchange {
 public:
  Exchange() = default;
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Whom the request counts for; set before the responder is handed out, constant from then on.
  void set_client(std::string client) { client_ = std::move(client); }
  const std::string& client() const noexcept { return client_; }
  // Kept until the connection and every copy of the responder have let go of this. Any thread.
  void keep(std::shared_ptr<void> lease) {
    const std::lock_guard lock(kept_mutex_);
    kept_ = std::move(lease);
  }
  // The answer may take that long, where the server's options give it less. Any thread.
  void allow(std::chrono::milliseconds time) noexcept { allowed_ms_.store(time.count()); }
  std::chrono::milliseconds allowed() const noexcept { return std::chrono::milliseconds(allowed_ms_.load()); }
  // Likewise: where handlers note what a trace tells of the request; null when nobody traces it.
  void set_trace(std::shared_ptr<RequestTrace> trace) { trace_ = std::move(trace); }
  const std::shared_ptr<RequestTrace>& trace() const noexcept { return trace_; }

  // answer() and begin_stream() return false unless they were first.
  virtual bool answer(Response response) = 0;
  virtual bool answer(std::function<Response()> make) = 0;
  virtual bool begin_stream(Response head) = 0;
  // False when nobody takes it any more.
  virtual bool write(std::string_view bytes) = 0;
  virtual void end_stream(bool clean) = 0;
  // Neither answered, nor has the client gone (as far as its transport tells).
  virtual bool wanted() const = 0;

 private:
  std::shared_ptr<void> kept_;  // first: it goes last
  std::mutex kept_mutex_;       // guards kept_
  std::atomic<std::chrono::milliseconds::rep> allowed_ms_{0};
  std::string client_;
  std::shared_ptr<RequestTrace> trace_;
};

}  // namespace slipway::net
