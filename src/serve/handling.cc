#include "serve/handling.h"

#include <memory>

namespace slipway::serve {

net::Response plain_error(int status, const std::string& message) {
  if (status == 429) {
    return net::too_many_requests(message, 1);
  }
  net::Response response = net::error_response(status, message);
  if (status == 503) {
    response.headers.set("Retry-After", "1");
  }
  return response;
}

int status_of(const std::exception& error) noexcept {
  if (const auto* with_status = dynamic_cast<const StatusError*>(&error)) {
    return with_status->status();
  }
  const auto* known = dynamic_cast<const base::Error*>(&error);
  return known == nullptr ? 500 : net::status_of(known->code());
}

std::string message_of(const std::exception& error) {
  return dynamic_cast<const base::Error*>(&error) != nullptr ? error.what()
                                                             : "the server failed on this request; its log says why";
}

bool is_local(const net::Request& request) noexcept {
  return request.from_loopback && !request.headers.has("Origin") && !request.headers.has("X-Forwarded-For") &&
         !request.headers.has("Forwarded");
}

void require_local(const net::Request& request) {
  if (!is_local(request)) {
    throw StatusError(403, "this address is only for programs on the server's own machine");
  }
}

namespace {

// A body up to here is parsed and tokenised in well under a millisecond; larger ones go to a worker.
constexpr size_t kInlineBody = size_t{8} << 10;

void guarded(const Handle& handle, const RenderError& render_error, base::Log& log, const net::Request& request,
             const net::Responder& responder) {
  if (!responder.wanted()) {
    return;  // its client left, or its time is over, while it waited for a worker
  }
  try {
    handle(request, responder);
  } catch (const std::exception& error) {
    const int status = status_of(error);
    if (status >= 500) {
      log.error("a request failed", {{"route", request.route}, {"error", std::string(error.what())}});
    }
    responder.send(render_error(status, message_of(error)));
  }
}

}  // namespace

net::Handler on_worker(net::Workers& workers, base::Log& log, Handle handle, RenderError render_error) {
  return [&workers, &log, handle = std::move(handle), render_error = std::move(render_error)](
             net::Request request, net::Responder responder) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    const bool taken = workers.post(
        [&log, handle, render_error, shared, responder] { guarded(handle, render_error, log, *shared, responder); });
    if (!taken) {
      responder.send(render_error(429, "too many requests are waiting; try again in a second"));
    }
  };
}

net::Handler here_or_on_worker(net::Workers& workers, base::Log& log, Handle handle, RenderError render_error) {
  net::Handler elsewhere = on_worker(workers, log, handle, render_error);
  return [&log, handle = std::move(handle), render_error = std::move(render_error), elsewhere = std::move(elsewhere)](
             net::Request request, net::Responder responder) {
    if (request.body.size() > kInlineBody) {
      elsewhere(std::move(request), std::move(responder));
    } else {
      guarded(handle, render_error, log, request, responder);
    }
  };
}

net::Observer counting_observer(net::MetricRegistry& metrics, base::Log& log) {
  return [&metrics, &log](const net::Finished& finished) {
    const std::string route = finished.route.empty() ? "none" : std::string(finished.route);
    metrics
        .counter("slipway_requests_total", "Requests answered.", {"route", "status"},
                 {route, std::to_string(finished.status)})
        .add();
    metrics
        .histogram("slipway_request_duration_seconds", "Time from the end of a request's body to its response.",
                   net::latency_bounds(), {"route"}, {route})
        .observe(finished.seconds);
    if (log.enabled(base::LogLevel::kDebug)) {
      log.debug("answered", {{"request_id", std::string(finished.request_id)},
                             {"route", route},
                             {"status", finished.status},
                             {"seconds", finished.seconds}});
    }
  };
}

}  // namespace slipway::serve
