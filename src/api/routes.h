// How the routes of this room are added: an address once for programs (/api) and once for pages (/ajax-api), a message
// that its table parses, a handler that gives the JSON of the answer, on a worker because it asks the store (pace.h); and who may call
// it. Filled before the server starts; handlers are called from several threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>

#include "api/change_guard.h"
#include "api/message.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/router.h"
#include "net/workers.h"
#include "record/stores.h"

namespace slipway::api {

class Oidc;  // oidc.h

class Routes {
 public:
  struct Server {  // all borrowed; they outlive the router
    net::Workers& workers;
    base::Log& log;
    Authority& authority;
    record::Store& store;
  };
  // A failure as the clients of a protocol know it.
  using FailureAnswer = std::function<net::Response(const std::exception&)>;
  Routes(net::Router& router, Rules& rules, Server server, FailureAnswer failure)
      : router_(router), rules_(rules), server_(server), failure_(std::move(failure)) {}

  // `path` is without the prefix: "/2.0/mlflow/runs/create". `handle` takes the message, and the request too if it wants to.
  // Who may call it is `permission`'s say (permission.h); the message's fields name the records it is about.
  template <class T, class Handle>
  void add(std::string_view method, std::string_view path, Handle handle, const Permission& permission = {}) {
    add_message<T>(method, path, std::move(handle), permission, Where::kWorker);
  }
  // The same for a handler that only reads rows: while it is quick, it runs on the network thread.
  template <class T, class Handle>
  void add_reading(std::string_view method, std::string_view path, Handle handle, const Permission& permission = {}) {
    add_message<T>(method, path, std::move(handle), permission, Where::kHereWhileQuick);
  }
  using Raw = std::function<net::Response(const net::Request&)>;
  // For answers that are not JSON or need the request itself. What it throws becomes a failure answer. What it is about
  // is permission.subjects' say, or {ns}/{repo}'s in the address.
  void add_raw(std::string_view method, std::string_view path, const Raw& handle, const Permission& permission = {});
  // For a handler that finds in the body what it is about: it calls guard.run itself, or nobody is asked.
  using Guarded = std::function<net::Response(const ChangeGuard&, const net::Request&)>;
  void add_guarded_raw(std::string_view method, std::string_view path, const Guarded& handle,
                       const Permission& permission = {});
  void add_guarded_at(std::string_view method, std::string_view address, const Permission& permission, Guarded handle);
  // PUT of a body of `max_bytes` at most into the sink that `make` gives. Decided on its head.
  void add_upload(std::string_view path, uint64_t max_bytes, const net::SinkMaker& make, const Raw& handle,
                  const Permission& permission = {});
  // The same at exactly this address, whatever the method.
  void add_upload_at(std::string_view method, std::string_view address, uint64_t max_bytes, const net::SinkMaker& make,
                     const Raw& handle, const Permission& permission = {});
  // What another route of this server answers to `message`, a JSON body, when it comes from whoever sent `from`: without the
  // network, on this thread, with that route's permission. For routes without {names} that do not read their request. Called
  // after all routes were added.
  using Ask = std::function<net::Response(const net::Request& from, std::string_view method, std::string_view address,
                                          const Json& message)>;
  Ask ask() const;
  // At exactly this address.
  void add_at(std::string_view method, std::string_view address, const Raw& handle, const Permission& permission = {});

 private:
  enum class Where { kWorker, kHereWhileQuick };
  template <class T, class Handle>
  void add_message(std::string_view method, std::string_view path, Handle handle, const Permission& permission, Where where) {
    for (const char* prefix : {"/ajax-api", "/api"}) {
      const std::string address = prefix + std::string(path);
      Guarded guarded = [handle](const ChangeGuard& guard, const net::Request& request) {
        const T message = parse_request<T>(request);
        return guard.run(
            request, [&] { return subjects_of(message); },
            [&] {
              net::Response response{200, {{"Content-Type", "application/json"}}, {}};
              if constexpr (std::is_invocable_v<Handle, const T&, const net::Request&>) {
                response.body = handle(message, request);
              } else {
                response.body = handle(message);
              }
              return response;
            });
      };
      router_.add(method, address, handler_of(method, address, permission, std::move(guarded), where));
    }
  }
  net::Handler handler_of(std::string_view method, std::string_view address, const Permission& permission, Guarded handle,
                          Where where = Where::kWorker);
  net::Router& router_;
  Rules& rules_;
  Server server_;
  FailureAnswer failure_;
  using Inner = std::unordered_map<std::string, std::function<net::Response(const net::Request&)>>;  // by "METHOD address"
  std::shared_ptr<Inner> inner_ = std::make_shared<Inner>();
};

class WebhookSender;

// What the handlers work on; borrowed, outlives the server.
struct Backend {
  record::Store& store;
  const base::Clock& clock;
  bool tls = false;  // addresses in answers begin with https
  const Authority* authority = nullptr;  // for tickets; null: nobody is asked
  WebhookSender* webhooks = nullptr;  // null: nobody is told of anything
};

// Whether the client came over TLS, to this server or to a proxy before it.
inline bool came_over_tls(const Backend& backend, const net::Request& request) {
  return backend.tls || request.headers.get("X-Forwarded-Proto") == "https";
}
// "http://127.0.0.1:5000", as the client called it: what addresses in answers begin with.
inline std::string origin_of(const Backend& backend, const net::Request& request) {
  return std::string(came_over_tls(backend, request) ? "https://" : "http://").append(request.headers.get("Host"));
}

void add_experiment_routes(Routes& routes, Backend& backend);
void add_run_routes(Routes& routes, Backend& backend);
void add_metric_routes(Routes& routes, Backend& backend);
void add_artifact_routes(Routes& routes, Backend& backend);
void add_model_routes(Routes& routes, Backend& backend);
void add_version_routes(Routes& routes, Backend& backend);
void add_ui_files(Routes& routes);  // the pages
void add_ui_run_routes(Routes& routes, Backend& backend);
void add_ui_record_routes(Routes& routes, Backend& backend);
void add_ui_dataset_routes(Routes& routes, Backend& backend);
void add_ui_model_routes(Routes& routes, Backend& backend);
void add_ui_approval_routes(Routes& routes, Backend& backend);
void add_logged_model_routes(Routes& routes, Backend& backend);
void add_trace_routes(Routes& routes, Backend& backend);
void add_assessment_routes(Routes& routes, Backend& backend);
void add_otlp_routes(Routes& routes, Backend& backend);
void add_upload_routes(Routes& routes, Backend& backend);
// Those that were begun more than a day ago and never completed; their parts go with the next collection of garbage.
void forget_old_uploads(Backend& backend);
void add_webhook_routes(Routes& routes, Backend& backend);
void add_eval_dataset_routes(Routes& routes, Backend& backend);
void add_scorer_routes(Routes& routes, Backend& backend);
void add_graphql_routes(Routes& routes);  // asks the routes of experiments, runs, metrics, artifacts and versions
void add_absent_routes(Routes& routes);
void add_server_routes(Routes& routes, Backend& backend);  // health, version, what the server can do
// Login, logout, who am I; `oidc`: whether people can log in by an issuer.
void add_session_routes(Routes& routes, bool oidc, Authority& authority, record::Store& store);
void add_oidc_routes(Routes& routes, Oidc* oidc, Authority& authority, record::Store& store);  // null: there is none

// The folder of the store's tree that an artifact's address means: "0/<run>/artifacts". Throws ApiError when the
// artifacts lie in another store.
std::string artifact_folder(const std::string& uri);

// A file of the tree as a download, or a part of it (Range), or "not modified". Throws Error(kNotFound).
net::Response send_file(record::FileTree& files, const net::Request& request, const std::string& path);

// The answer of a call that has nothing to say.
inline const std::string kEmptyAnswer = "{}";

}  // namespace slipway::api
