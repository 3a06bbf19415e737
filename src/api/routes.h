// How the routes of this room are added: an address once for programs (/api) and once for pages (/ajax-api), a message
// that its table parses, a handler that gives the JSON of the answer, on a worker because it asks the store. Filled
// before the server starts; handlers are called from several threads at once.
#pragma once

#include <functional>
#include <string>

#include "api/message.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/router.h"
#include "net/workers.h"
#include "record/stores.h"

namespace slipway::api {

class Routes {
 public:
  // A failure as the clients of a protocol know it.
  using FailureAnswer = std::function<net::Response(const std::exception&)>;
  // All borrowed; workers and log outlive the router.
  Routes(net::Router& router, net::Workers& workers, base::Log& log, FailureAnswer failure)
      : router_(router), workers_(workers), log_(log), failure_(std::move(failure)) {}

  // `path` is without the prefix: "/2.0/mlflow/runs/create".
  template <class T, class Handle>
  void add(std::string_view method, std::string_view path, Handle handle) {
    add_raw(method, path, [handle = std::move(handle)](const net::Request& request) {
      return net::Response{200, {{"Content-Type", "application/json"}}, handle(parse_request<T>(request))};
    });
  }
  // For answers that are not JSON or need the request itself. What it throws becomes a failure answer.
  void add_raw(std::string_view method, std::string_view path,
               std::function<net::Response(const net::Request&)> handle);
  // PUT of a body of `max_bytes` at most into the sink that `make` gives.
  void add_upload(std::string_view path, uint64_t max_bytes, const net::SinkMaker& make,
                  const std::function<net::Response(const net::Request&)>& handle);
  // The same at exactly this address, whatever the method.
  void add_upload_at(std::string_view method, std::string_view address, uint64_t max_bytes, const net::SinkMaker& make,
                     std::function<net::Response(const net::Request&)> handle);
  // At exactly this address.
  void add_at(std::string_view method, std::string_view address,
              std::function<net::Response(const net::Request&)> handle);

 private:
  net::Handler on_worker(std::function<net::Response(const net::Request&)> handle);
  net::Router& router_;
  net::Workers& workers_;
  base::Log& log_;
  FailureAnswer failure_;
};

// What the handlers work on; borrowed, outlives the server.
struct Backend {
  record::Store& store;
  const base::Clock& clock;
  bool tls = false;  // addresses in answers begin with https
};

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
void add_server_routes(Routes& routes);  // health, version, what the server can do

// The folder of the store's tree that an artifact's address means: "0/<run>/artifacts". Throws ApiError when the
// artifacts lie in another store.
std::string artifact_folder(const std::string& uri);

// The answer of a call that has nothing to say.
inline const std::string kEmptyAnswer = "{}";

}  // namespace slipway::api
