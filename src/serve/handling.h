// What every route does the same way, whatever model is behind it: where a handler runs, how a failure becomes a
// status, what is counted of each request. Any thread.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "net/metrics.h"
#include "net/responder.h"
#include "net/router.h"
#include "net/server.h"
#include "net/workers.h"

namespace slipway::serve {

using Handle = std::function<void(const net::Request&, const net::Responder&)>;
// How a protocol words a failure: status and message to its JSON.
using RenderError = std::function<net::Response(int status, const std::string& message)>;

// A failure with the HTTP status that says it best, and the field of the request that is wrong, if it is one.
class StatusError : public base::Error {
 public:
  StatusError(int status, const std::string& message, std::string param = {}, std::string code = {})
      : base::Error(base::Code::kInvalid, message), status_(status), param_(std::move(param)), code_(std::move(code)) {}
  int status() const noexcept { return status_; }
  const std::string& param() const noexcept { return param_; }  // "messages"; empty: none
  const std::string& word() const noexcept { return code_; }    // OpenAI's code: "model_not_found"; empty: none

 private:
  int status_;
  std::string param_;
  std::string code_;
};

// {"error": message}, with Retry-After for 429 and 503.
net::Response plain_error(int status, const std::string& message);
int status_of(const std::exception& error) noexcept;
std::string message_of(const std::exception& error);

// From a program on this machine: not through a browser (Origin) or a proxy (X-Forwarded-For, Forwarded).
bool is_local(const net::Request& request) noexcept;
// Throws StatusError(403) for every other request.
void require_local(const net::Request& request);

// Runs `handle` here when the body is small, on a worker otherwise; what it throws is answered through `render_error`.
// Workers and log outlive the handler.
net::Handler here_or_on_worker(net::Workers& workers, base::Log& log, Handle handle, RenderError render_error);
// The same, always on a worker.
net::Handler on_worker(net::Workers& workers, base::Log& log, Handle handle, RenderError render_error);

// Counts and times each request under its route. Metrics and log outlive the observer.
net::Observer counting_observer(net::MetricRegistry& metrics, base::Log& log);

}  // namespace slipway::serve
