// The server of models: one listener over HTTP and one over gRPC, with one or several models of any kind behind it, loaded and unloaded
// while it runs. It owns sockets, API keys, signals and drain; each model brings its routes (served_model.h), and the
// `model` that a request names chooses among them (choice.h). Owns its threads and models; borrows the context, which
// outlives it. start, drain and destruction are for one controlling thread; the rest is for any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/models.h"
#include "serve/options.h"

namespace slipway::serve {

class ModelServer {
 public:
  // Nothing happens before start(). Of the options: http, access, drain_ms, follow_alias_ms.
  ModelServer(ServeOptions options, std::vector<ModelSource> models, MakeModel make, base::Context& context);
  ~ModelServer();
  ModelServer(const ModelServer&) = delete;
  ModelServer& operator=(const ModelServer&) = delete;

  // Loads the models, then listens: who can connect gets answers. Throws Error with what is wrong with a reference, a
  // folder or the port, kConflict for two models of one name.
  void start();
  std::string url() const;
  int port() const;
  std::string grpc_url() const;  // "127.0.0.1:8001"; "" without gRPC
  // Of the server as a whole; each model has its own.
  net::MetricRegistry& metrics();
  // A model by a name that clients use; without one, the first. Null when it is not loaded. Holding it keeps it from
  // being unloaded.
  std::shared_ptr<ServedModel> find(std::string_view name = {}) const;
  // What is loaded, in the order of loading.
  std::vector<ModelCard> cards() const;

  // Returns at SIGTERM or SIGINT (their number) or when context.stop fires (0). Then call drain().
  int wait_until_signal();
  // Stops accepting, answers what is in flight, commits what is logged. Returns the number of requests cut off at the
  // deadline: 0 is clean. 0 ms takes ServeOptions::drain_ms.
  int drain(std::chrono::milliseconds deadline = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::serve
