// The server of the record: MLflow's tracking protocol over HTTP on a store. Owns its threads; borrows store and
// context. start, drain and stop are for one controlling thread; the rest is for any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "api/annotate_asker.h"
#include "api/authority.h"
#include "api/oidc.h"
#include "api/webhooks.h"
#include "base/context.h"
#include "base/fields.h"
#include "net/server.h"
#include "record/stores.h"

namespace slipway::api {

struct TrackingServerOptions {
  int drain_ms = 10'000;  // what drain() without a deadline allows
  int workers = 16;       // requests at the store at once; most of them wait for the disk, together for one fsync
  int max_queue = 4096;   // more wait nowhere: 429
  bool insecure_no_tls = false;            // other machines may talk to it in the clear: a proxy does TLS
  std::vector<std::string> allowed_hosts;  // see GuardOptions
  OidcOptions oidc;
  AuthorityOptions access;                 // `required` and `secure` are set by the server
  WebhookOptions webhooks;
  AnnotationAskOptions annotation;
  std::vector<AnnotationModel> annotation_models;  // plugged in, no flag
  net::ServerOptions http;
  TrackingServerOptions();
  void describe(base::FieldTable& table);
};

class TrackingServer {
 public:
  // An address that is not of this machine alone needs TLS, or insecure_no_tls, and asks for accounts: throws
  // Error(kInvalid) without TLS, or when there is no account that could let anybody in.
  TrackingServer(TrackingServerOptions options, record::Store& store, base::Context& context);
  ~TrackingServer();
  TrackingServer(const TrackingServer&) = delete;
  TrackingServer& operator=(const TrackingServer&) = delete;

  // Throws as net::HttpServer::start.
  void start();
  std::string url() const;
  int port() const;
  // Method and pattern of every route, and its rule: null where nobody gave one. For tests.
  std::vector<std::tuple<std::string, std::string, const Rule*>> routes() const;
  // Reads the certificate again; on failure the old one stays and the log says why.
  void reload_tls();
  // Until SIGTERM, SIGINT or the context's stop token; returns the signal, 0 for the token.
  int wait_until_signal();
  // Takes no more; returns how many requests were cut off at the deadline (0: a clean drain).
  int drain(std::chrono::milliseconds deadline = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
