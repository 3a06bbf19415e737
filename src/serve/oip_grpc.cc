#include "serve/oip_grpc.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "grpc_health.pb.h"
#include "open_inference.pb.h"
#include "serve/handling.h"
#include "serve/oip_codec.h"
#include "serve/oip_messages.h"

namespace slipway::serve {

namespace {

using base::Json;
using google::protobuf::Message;
using net::Request;
using net::Response;

constexpr const char* kService = "/inference.GRPCInferenceService/";
constexpr size_t kMaxNames = size_t{64} << 10;  // of a message without tensors: its parsed form is many times larger
constexpr const char* kHealth = "/grpc.health.v1.Health/Check";

// What a method becomes.
struct Translated {
  std::string method;
  std::string path;
  std::optional<std::string> body = "";  // empty: the message itself
  const char* content_type = "application/json";
};
using Translate = Translated (*)(const Request&);
using Answer = Response (*)(Response);

template <class M>
M parsed(const Request& request) {
  M message;
  if (request.body.size() > kMaxNames) {
    throw StatusError(413, fmt::format("the message has more than {} bytes", kMaxNames));
  }
  if (!message.ParseFromString(request.body)) {
    throw StatusError(400, "the message is not a " + M::descriptor()->full_name());
  }
  return message;
}

Response message_response(const Message& message) {
  return {200, {{"Content-Type", oip::kMessageType}}, message.SerializeAsString()};
}

std::string model_path(std::string_view name, std::string_view version, const char* suffix) {
  if (name.empty()) {
    throw StatusError(400, "the request names no model");
  }
  std::string path = "/v2/models/" + net::percent_encode(name);
  if (!version.empty()) {
    path += "/versions/" + net::percent_encode(version);
  }
  return path + suffix;
}

Translated infer_path(const Request& request) {
  const oip::ModelAddress address = oip::address_of(request.body);
  return {"POST", model_path(address.model, address.version, "/infer"), std::nullopt, oip::kMessageType};
}

Translated of_model(const Request& request, const char* suffix) {
  const auto message = parsed<inference::ModelRequest>(request);
  return {"GET", model_path(message.name(), message.version(), suffix)};
}

Translated repository_path(const Request& request, const char* verb) {
  const auto message = parsed<inference::RepositoryModelRequest>(request);
  if (message.model_name().empty()) {
    throw StatusError(400, "the request names no model");
  }
  Json parameters = Json::object();
  for (const auto& [name, value] : message.parameters()) {
    parameters[name] = value.has_string_param() ? Json(value.string_param()) : Json();
  }
  const Json body = parameters.empty() ? Json::object() : Json{{"parameters", std::move(parameters)}};
  return {"POST", "/v2/repository/models/" + net::percent_encode(message.model_name()) + verb, base::dump_json(body)};
}

// The JSON of an answer, field by field: they have the standard's names in both forms.
template <class M>
Response from_json(const std::string& json) {
  M message;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(json, &message, options).ok()) {
    return plain_error(500, "the server's answer has no message form");
  }
  return message_response(message);
}

template <class M>
Response json_answer(Response response) {
  return response.status >= 400 ? std::move(response) : from_json<M>(response.body);
}

// {"MEMBER": the answer's JSON}.
template <class M>
Response wrapped(Response response, const char* member) {
  return response.status >= 400 ? std::move(response)
                                : from_json<M>(fmt::format("{{\"{}\":{}}}", member, response.body));
}

// A model that is not there is not ready, as Triton answers.
Response ready_answer(Response response) {
  if (response.status != 200 && response.status != 404 && response.status != 503) {
    return response;
  }
  inference::ModelReadyResponse message;
  message.set_ready(response.status == 200);
  return message_response(message);
}

Response health_answer(Response response) {
  grpc::health::v1::HealthCheckResponse message;
  message.set_status(response.status == 200 ? grpc::health::v1::HealthCheckResponse::SERVING
                                            : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  return message_response(message);
}

// Of a stream every answer is a message, also that a request was wrong: the next one may be right.
Response stream_answer(Response response) {
  inference::ModelStreamInferResponse message;
  if (response.status < 400) {
    if (!message.mutable_infer_response()->ParseFromString(response.body)) {
      return plain_error(500, "the server's answer has no message form");
    }
  } else {
    const Json json = Json::parse(response.body, nullptr, false);
    const auto error = json.find("error");
    message.set_error_message(error != json.end() && error->is_string() ? error->get<std::string>() : response.body);
  }
  return message_response(message);
}

Translated check_path(const Request& request) {
  const std::string service = parsed<grpc::health::v1::HealthCheckRequest>(request).service();
  if (!service.empty() && service != "inference.GRPCInferenceService") {
    throw StatusError(404, fmt::format("there is no service '{}' here", service.substr(0, 100)));
  }
  return {"GET", "/v2/health/ready"};
}

struct Method {
  const char* name;
  Translate translate;
  Answer answer;
};

constexpr std::array<Method, 11> kMethods = {{
    {"ServerLive",
     [](const Request&) {
       return Translated{"GET", "/v2/health/live"};
     },
     json_answer<inference::ServerLiveResponse>},
    {"ServerReady",
     [](const Request&) {
       return Translated{"GET", "/v2/health/ready"};
     },
     ready_answer},
    {"ServerMetadata",
     [](const Request&) {
       return Translated{"GET", "/v2"};
     },
     json_answer<inference::ServerMetadataResponse>},
    {"ModelReady", [](const Request& request) { return of_model(request, "/ready"); }, ready_answer},
    {"ModelMetadata", [](const Request& request) { return of_model(request, ""); },
     json_answer<inference::ModelMetadataResponse>},
    {"ModelConfig", [](const Request& request) { return of_model(request, "/config"); },
     [](Response response) { return wrapped<inference::ModelConfigResponse>(std::move(response), "config"); }},
    {"ModelInfer", infer_path, [](Response response) { return response; }},
    {"ModelStreamInfer", infer_path, stream_answer},
    {"RepositoryIndex",
     [](const Request& request) {
       const bool ready = parsed<inference::RepositoryIndexRequest>(request).ready();
       return Translated{"POST", "/v2/repository/index", ready ? R"({"ready":true})" : "{}"};
     },
     [](Response response) { return wrapped<inference::RepositoryIndexResponse>(std::move(response), "models"); }},
    {"RepositoryModelLoad", [](const Request& request) { return repository_path(request, "/load"); },
     [](Response response) { return response.status >= 400 ? response : Response{}; }},
    {"RepositoryModelUnload", [](const Request& request) { return repository_path(request, "/unload"); },
     [](Response response) { return response.status >= 400 ? response : Response{}; }},
}};

void forward(const net::Router& http, Request request, const Translated& translated, const net::Responder& responder) {
  request.method = translated.method;
  request.path = translated.path;
  if (translated.body) {
    request.body = *translated.body;
  }
  request.headers.set("Content-Type", translated.content_type);
  const net::Router::Match match = http.find(request);
  if (match.handler == nullptr || match.sink != nullptr) {
    throw StatusError(501, fmt::format("this server has no {} {}", request.method, request.path.substr(0, 200)));
  }
  (*match.handler)(std::move(request), responder);
}

void add(net::Router& router, const CurrentRoutes& http, const std::string& path, Translate translate, Answer answer) {
  router.add("POST", path, [http, translate, answer](Request request, const net::Responder& responder) {
    const net::Responder changed = responder.through(answer);
    try {
      const Translated translated = translate(request);
      forward(*http(), std::move(request), translated, changed);
    } catch (const std::exception& error) {
      (answer == stream_answer ? changed : responder).send(plain_error(status_of(error), message_of(error)));
    }
  });
}

}  // namespace

net::Router grpc_routes(const CurrentRoutes& http) {
  oip::quiet_protobuf();
  net::Router router;
  for (const Method& method : kMethods) {
    add(router, http, std::string(kService) + method.name, method.translate, method.answer);
  }
  add(router, http, kHealth, check_path, health_answer);
  return router;
}

bool is_open_grpc_route(std::string_view route) noexcept {
  static constexpr std::array<std::string_view, 4> kOpen = {
      "/grpc.health.v1.Health/Check", "/inference.GRPCInferenceService/ServerLive",
      "/inference.GRPCInferenceService/ServerReady", "/inference.GRPCInferenceService/ModelReady"};
  return std::find(kOpen.begin(), kOpen.end(), route) != kOpen.end();
}

}  // namespace slipway::serve
