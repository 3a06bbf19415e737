// The Open Inference Protocol's gRPC methods, and the standard health check, as routes of net::GrpcServer. Each is one of
// the HTTP routes under /v2 in other clothes: the names become its path, its JSON the answer's message; tensors stay
// protobuf on the way. So whatever the server has under /v2 is there over gRPC, with the same checks and words. Any
// thread.
#pragma once

#include <functional>
#include <memory>

#include "net/router.h"

namespace slipway::serve {

// The HTTP routes of the moment.
using CurrentRoutes = std::function<std::shared_ptr<const net::Router>()>;

// ServerLive, ServerReady, ServerMetadata, ModelReady, ModelMetadata, ModelConfig, ModelInfer, ModelStreamInfer,
// RepositoryIndex, RepositoryModelLoad and -Unload of inference.GRPCInferenceService; Check of grpc.health.v1.Health.
// One whose HTTP route is not there is answered UNIMPLEMENTED.
net::Router grpc_routes(const CurrentRoutes& http);

// Refusals of API keys: what needs none, as /v2/health and …/ready over HTTP.
bool is_open_grpc_route(std::string_view route) noexcept;

}  // namespace slipway::serve
