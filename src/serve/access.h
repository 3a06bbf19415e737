// Who may use a server of this room: its API keys, which routes need none, and how each protocol words a refusal. The
// counting is net::AccessControl's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/fields.h"
#include "net/access.h"
#include "net/gate.h"
#include "net/grpc_server.h"
#include "net/server.h"

namespace slipway::serve {

struct AccessOptions {
  std::string api_key;          // one key, without limits; its name is "default"
  std::string api_keys;         // YAML file of keys (net/access.h)
  bool public_metrics = false;  // /metrics needs no key

  void describe(base::FieldTable& table);
};

// A failure in the form of the protocol that the request's path belongs to; `param` and `code` are OpenAI's.
net::Response error_in_form(const net::Request& request, int status, const std::string& message,
                            const std::string& param = {}, const std::string& code = {});

// Null when no key is configured: then everybody may. Without a key one reaches health checks, the page at "/" and,
// from this machine, the administration of the deployment, which is for nobody else (is_local in handling.h). Throws
// Error(kNotFound | kInvalid) for the file.
std::unique_ptr<net::AccessControl> make_access(const AccessOptions& options, net::MetricRegistry& metrics);
// Reads the file again; what a key has used is kept. Throws likewise, and then the old keys stay.
void reload_access(const AccessOptions& options, net::AccessControl* access);
// For net::HttpServer; empty for null. `access` outlives it.
net::Gate gate_of(net::AccessControl* access);
// What SIGHUP does: keys and TLS certificate are read again; what is wrong with them is logged and changes nothing. All
// borrowed; `http` and `grpc` (null: none) may be made later.
std::function<void()> hangup_handler(const AccessOptions& options, net::AccessControl* access,
                                     const std::unique_ptr<net::HttpServer>& http, base::Log& log,
                                     const std::unique_ptr<net::GrpcServer>* grpc = nullptr);

}  // namespace slipway::serve
