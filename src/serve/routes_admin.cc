// The deployment and its traffic split, the monitor. What changes something is for this machine only.
#include <charconv>
#include <fmt/format.h>

#include "serve/core.h"

namespace slipway::serve {

namespace {

Json traffic_of(const Served& served, const char* role, double percent, int64_t since_ms, bool with_latencies) {
  Json traffic = {{"role", role},
                  {"model", served.model},
                  {"version", served.version},
                  {"percent", percent},
                  {"precision", served.info.precision}};
  traffic.update(served.outcomes(since_ms, with_latencies));
  return traffic;
}

int64_t since_of(const net::Request& request) {
  const std::string_view text = request.query_value("since_ms");
  int64_t since = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size() || since < 0)) {
    throw StatusError(400, "since_ms must be milliseconds since 1970");
  }
  return since;
}

void set_canary(Core& core, const net::Request& request) {
  const Json body = base::parse_json(request.body, "the body");
  if (!body.is_object() || !body.contains("percent") || !body["percent"].is_number()) {
    throw StatusError(400, R"(the body must be an object with "percent", and "reference" unless it is 0)");
  }
  const double percent = body["percent"].get<double>();
  const auto reference = body.find("reference");
  if (percent != 0 && (reference == body.end() || !reference->is_string())) {
    throw StatusError(400, "\"reference\" must name the version: models:/NAME/VERSION, or a model folder");
  }
  core.fleet.set_canary(percent == 0 ? "" : reference->get<std::string>(), percent);
}

}  // namespace

Json describe_deployment(const Core& core, int64_t since_ms, bool with_latencies) {
  const Routing now = core.fleet.snapshot();
  const double canary = now.canary ? now.canary_percent : 0;
  Json traffic = Json::array({traffic_of(*now.primary, "primary", 100 - canary, since_ms, with_latencies)});
  if (now.canary) {
    traffic.push_back(traffic_of(*now.canary, "canary", canary, since_ms, with_latencies));
  }
  return {{"id", core.deployment_id},
          {"endpoint", core.endpoint},
          {"model", core.options.model},
          {"alias", core.fleet.alias()},
          {"now_ms", core.context.clock.unix_ms()},
          {"labels", now.primary->labels},
          {"traffic", std::move(traffic)}};
}

void add_admin_routes(net::Router& router, Core& core) {
  const auto show = [&core](const net::Request& request, const net::Responder& responder) {
    responder.send(
        net::json_response(describe_deployment(core, since_of(request), request.query_value("latencies") == "true")));
  };
  router.add("GET", "/v1/deployment", core.handler(show, plain_error));
  // Loading a version takes time and the store is asked: not on a network thread.
  router.add("POST", "/v1/deployment/canary",
             core.worker_handler(
                 [&core](const net::Request& request, const net::Responder& responder) {
                   require_local(request);
                   set_canary(core, request);
                   responder.send(net::json_response(describe_deployment(core, 0, false)));
                 },
                 plain_error));
  router.add("POST", "/v1/deployment/rollback",
             core.worker_handler(
                 [&core](const net::Request& request, const net::Responder& responder) {
                   require_local(request);
                   core.fleet.rollback();
                   responder.send(net::json_response(describe_deployment(core, 0, false)));
                 },
                 plain_error));
}

void add_monitor_routes(net::Router& router, Core& core) {
  router.add("GET", "/v1/monitor",
             core.worker_handler(
                 [&core](const net::Request&, const net::Responder& responder) {
                   if (!core.hooks.monitor_report) {
                     throw StatusError(501, "this server was started without a monitor");
                   }
                   responder.send(net::json_response(core.hooks.monitor_report()));
                 },
                 plain_error));
  router.add("POST", "/v1/monitor/flush",
             core.worker_handler(
                 [&core](const net::Request& request, const net::Responder& responder) {
                   require_local(request);
                   if (!core.hooks.monitor_flush || !core.feed) {
                     throw StatusError(501, "this server was started without a monitor");
                   }
                   core.feed->flush();
                   responder.send(net::json_response(core.hooks.monitor_flush()));
                 },
                 plain_error));
}

}  // namespace slipway::serve
