#include "net/dispatch.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <iterator>

#include "net/responder.h"

namespace slipway::net {

namespace {

Response no_handler(const Router::Match& match, const Request& request) {
  const char* why = match.status == 405   ? "the address does not take {}; it takes {}"
                    : match.status == 400 ? "the address has a broken %-escape"
                                          : "there is nothing at {} {}";
  Response response = error_response(
      match.status, match.status == 405 ? fmt::format(fmt::runtime(why), request.method, match.allow)
                                        : fmt::format(fmt::runtime(why), request.method, request.path.substr(0, 200)));
  if (!match.allow.empty()) {
    response.headers.set("Allow", match.allow);
  }
  return response;
}

int64_t unix_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::string text_of(const std::vector<Attribute>& attributes, std::string_view name) {
  for (const auto& [known, value] : attributes) {
    if (const auto* text = known == name ? std::get_if<std::string>(&value) : nullptr) {
      return *text;
    }
  }
  return {};
}

}  // namespace

Dispatched dispatch(const Router::Match& match, Admission admission, base::Log& log, bool traced, Request request,
                    const std::shared_ptr<Exchange>& exchange) {
  Dispatched result;
  if (traced) {
    result.parent = parse_traceparent(request.headers.get("traceparent"));
    if (!result.parent || result.parent->sampled) {
      result.trace = std::make_shared<RequestTrace>();
      result.start_unix_ns = unix_ns();
      exchange->set_trace(result.trace);
    }
  }
  result.route = request.route;
  result.admission = std::move(admission);
  exchange->set_client(result.admission.client);
  if (result.admission.refusal) {
    exchange->answer(std::move(*result.admission.refusal));
    return result;
  }
  request.identity = result.admission.identity;
  if (match.handler == nullptr) {
    exchange->answer(no_handler(match, request));
    return result;
  }
  const Responder responder(exchange);
  try {
    (*match.handler)(std::move(request), responder);
  } catch (const std::exception& error) {
    const Response response = error_response(error);
    if (response.status >= 500) {
      log.error("a request failed", {{"route", result.route}, {"error", error.what()}});
    }
    responder.send(response);
  }
  return result;
}

void end_trace(const SpanSink& sink, const Dispatched& dispatched, const Finished& finished,
               std::vector<Attribute> protocol) {
  if (!sink || !dispatched.trace) {
    return;
  }
  Span span;
  span.context = new_span(dispatched.parent);
  if (dispatched.parent) {
    span.parent = dispatched.parent->span_id;
  }
  span.start_unix_ns = dispatched.start_unix_ns;
  span.end_unix_ns = std::max(unix_ns(), span.start_unix_ns);
  span.attributes = dispatched.trace->take();
  const std::string operation = text_of(span.attributes, "gen_ai.operation.name");
  const std::string model = text_of(span.attributes, "gen_ai.request.model");
  if (!operation.empty()) {
    span.name = model.empty() ? operation : operation + " " + model;
  } else {
    span.name = finished.route.empty() ? std::string(finished.method)
                                       : std::string(finished.method) + " " + std::string(finished.route);
  }
  span.attributes.insert(span.attributes.end(), std::make_move_iterator(protocol.begin()),
                         std::make_move_iterator(protocol.end()));
  if (!finished.route.empty()) {
    span.attributes.emplace_back("http.route", std::string(finished.route));
  }
  if (!finished.client.empty()) {
    span.attributes.emplace_back("enduser.id", std::string(finished.client));
  }
  span.attributes.emplace_back("slipway.request.id", std::string(finished.request_id));
  span.failed = finished.status >= 500;  // the server's fault; a client's is its own span's (HTTP conventions)
  if (finished.status >= 400) {
    span.attributes.emplace_back("error.type", std::to_string(finished.status));
  }
  sink(std::move(span));
}

}  // namespace slipway::net
