#include "serve/access.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "serve/generator_core.h"
#include "serve/handling.h"
#include "serve/oip_grpc.h"

namespace slipway::serve {

namespace {

constexpr const char* kSingleKeyName = "default";
constexpr std::array<std::string_view, 5> kOpenRoutes = {"/", "/health", "/v2/health/live", "/v2/health/ready",
                                                         "/v2/models/{model}/ready"};
constexpr std::array<std::string_view, 3> kLocalPrefixes = {"/v1/deployment", "/v1/monitor", "/v2/repository/models/"};

enum class Form { kOpenAi, kTgi, kTei };
struct FormOfPrefix {
  std::string_view prefix;
  Form form;
};
// All else is {"error": message}: the Open Inference Protocol, Ollama, ours.
constexpr std::array<FormOfPrefix, 12> kForms = {{
    {"/v1/chat/", Form::kOpenAi},
    {"/v1/completions", Form::kOpenAi},
    {"/v1/embeddings", Form::kOpenAi},
    {"/v1/models", Form::kOpenAi},
    {"/v1/responses", Form::kOpenAi},
    {"/generate", Form::kTgi},
    {"/embed", Form::kTei},
    {"/predict", Form::kTei},
    {"/rerank", Form::kTei},
    {"/similarity", Form::kTei},
    {"/tokenize", Form::kTei},
    {"/decode", Form::kTei},
}};

// What Text Generation Inference, and Text Embeddings Inference with a capital, call it.
std::string word_of(int status, bool capital) {
  std::string word = status == 429 ? "overloaded" : status == 401 ? "unauthorized" : "validation";
  if (capital) {
    word.front() = static_cast<char>(word.front() - 'a' + 'A');
  }
  return word;
}

net::Response refusal_in_form(const net::Request& request, int status, const std::string& message,
                              const std::string& code) {
  return error_in_form(request, status, message, {}, code);
}

bool needs_no_key(const net::Request& request, bool public_metrics) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && (std::find(kOpenRoutes.begin(), kOpenRoutes.end(), request.route) != kOpenRoutes.end() ||
                (public_metrics && request.route == "/metrics"))) {
    return true;
  }
  if (is_open_grpc_route(request.route)) {
    return true;
  }
  return is_local(request) && std::any_of(kLocalPrefixes.begin(), kLocalPrefixes.end(),
                                          [&](std::string_view prefix) { return request.route.starts_with(prefix); });
}

std::vector<net::ApiKey> keys_of(const AccessOptions& options) {
  std::vector<net::ApiKey> keys;
  if (!options.api_keys.empty()) {
    keys = net::read_api_keys(options.api_keys);
  }
  if (!options.api_key.empty()) {
    net::ApiKey single = net::api_key(kSingleKeyName, options.api_key);
    for (const net::ApiKey& key : keys) {
      if (key.name == single.name || key.sha256 == single.sha256) {
        throw base::Error(base::Code::kInvalid, "the key of --api-key, or its name 'default', is in --api-keys too");
      }
    }
    keys.push_back(std::move(single));
  }
  return keys;
}

}  // namespace

net::Response error_in_form(const net::Request& request, int status, const std::string& message,
                            const std::string& param, const std::string& code) {
  const auto* const found = std::find_if(
      kForms.begin(), kForms.end(), [&](const FormOfPrefix& entry) { return request.path.starts_with(entry.prefix); });
  if (found == kForms.end()) {
    return plain_error(status, message);
  }
  if (found->form == Form::kOpenAi) {
    return openai_error(status, message, param, code);
  }
  net::Response response = plain_error(status, message);
  response.body = base::dump_json(Json{{"error", message}, {"error_type", word_of(status, found->form == Form::kTei)}});
  return response;
}

void AccessOptions::describe(base::FieldTable& table) {
  table.add("api_key", api_key,
            "Key that requests must show as Authorization: Bearer KEY; better given as SLIPWAY_API_KEY");
  table.add("api_keys", api_keys, "YAML file of keys with names and limits; read again at SIGHUP");
  table.add("public_metrics", public_metrics, "Let /metrics be read without a key");
}

std::unique_ptr<net::AccessControl> make_access(const AccessOptions& options, net::MetricRegistry& metrics) {
  std::vector<net::ApiKey> keys = keys_of(options);
  if (keys.empty()) {
    return nullptr;
  }
  net::AccessControl::Hooks hooks;
  hooks.refuse = refusal_in_form;
  hooks.open = [public_metrics = options.public_metrics](const net::Request& request) {
    return needs_no_key(request, public_metrics);
  };
  return std::make_unique<net::AccessControl>(std::move(keys), metrics, std::move(hooks));
}

void reload_access(const AccessOptions& options, net::AccessControl* access) {
  if (access != nullptr) {
    access->replace(keys_of(options));
  }
}

std::function<void()> hangup_handler(const AccessOptions& options, net::AccessControl* access,
                                     const std::unique_ptr<net::HttpServer>& http, base::Log& log,
                                     const std::unique_ptr<net::GrpcServer>* grpc) {
  return [&options, access, &http, &log, grpc] {
    const auto attempt = [&log](const char* what, const auto& work) {
      try {
        work();
      } catch (const std::exception& error) {
        log.error("could not be read again; what was there stays",
                  {{"what", what}, {"error", std::string(error.what())}});
      }
    };
    attempt("API keys", [&] { reload_access(options, access); });
    attempt("TLS certificate", [&] {
      http->reload_tls();
      if (grpc != nullptr && *grpc) {
        (*grpc)->reload_tls();
      }
    });
  };
}

net::Gate gate_of(net::AccessControl* access) {
  if (access == nullptr) {
    return {};
  }
  return [access](const net::Request& request) { return access->admit(request); };
}

}  // namespace slipway::serve
