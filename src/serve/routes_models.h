// The routes that are the server's own, whatever it serves: health, metrics, the lists of models in each protocol's
// form, and loading and unloading (Triton's repository extension).
#pragma once

#include <chrono>

#include "net/router.h"
#include "net/workers.h"
#include "serve/models.h"

namespace slipway::serve {

// All borrowed; they outlive the router.
struct ModelRoutes {
  Models& models;
  net::MetricRegistry& metrics;      // the server's; those of the models are told with it
  const net::AccessControl* access;  // null: no API keys
  net::Workers& changers;            // where models are loaded
  base::Log& log;
  std::chrono::milliseconds unload_limit;  // how long an unloading is waited for
};

void add_model_routes(net::Router& router, const ModelRoutes& routes);

}  // namespace slipway::serve
