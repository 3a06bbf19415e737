// An encoder or classifier as a server holds it: a primary version and perhaps a canary. It follows an alias of the
// registry and swaps versions without dropping a request, keeps every prediction in the store, and is a deployment in
// the records. Owns its threads (log writer, monitor feed, a few workers); borrows store and context, which outlive it.
#pragma once

#include <mutex>

#include "serve/core.h"
#include "serve/served_model.h"

namespace slipway::serve {

class EncoderModel final : public ServedModel {
 public:
  // Loads the version that options.model names; options.endpoint is its name. `store` may be null for a folder: then
  // nothing is logged, recorded or followed. Throws Error with what is wrong with the reference or the folder.
  EncoderModel(ServeOptions options, record::Store* store, const Host& host, ServeHooks hooks = {});
  ~EncoderModel() override;

  ModelCard card() const override;
  bool answers_to(std::string_view name) const override;
  const net::Router& routes() const override { return router_; }
  const net::MetricRegistry& metrics() const override { return core_.metrics; }
  void ready(const std::string& url) override;
  bool follow() override;
  void draining() override;
  void stop(int cut_off) override;

  // The monitor's sink may add gauges to it.
  net::MetricRegistry& metrics() { return core_.metrics; }
  const std::string& deployment_id() const { return core_.deployment_id; }
  // "movie-sentiment/3" of the primary now.
  std::string serving() const { return core_.fleet.snapshot().primary->display(); }
  // What the admin routes do. All are instant for requests: the next one sees the new split.
  Json deployment() const { return describe_deployment(core_, 0, false); }
  void set_canary(const std::string& reference, double percent) { core_.fleet.set_canary(reference, percent); }
  // Takes the canary's traffic away; without a canary, moves the followed alias back to the version before.
  void rollback() { core_.fleet.rollback(); }

 private:
  void put_record(record::DeploymentStatus status);
  void record_event(const std::string& kind, const Json& data);
  void record_serving(const Routing& routing);
  void on_change(const Routing& routing, const std::string& reason);

  const ServeOptions options_;
  Core core_;
  net::Router router_;
  double load_seconds_ = 0;
  int64_t created_s_ = 0;
  std::mutex mutex_;  // guards what follows
  record::Deployment deployment_;
  bool stopped_ = false;
};

}  // namespace slipway::serve
