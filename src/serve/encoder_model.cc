#include "serve/encoder_model.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::serve {

using record::DeploymentStatus;

EncoderModel::EncoderModel(ServeOptions options, record::Store* store, const Host& host, ServeHooks hooks)
    : options_(std::move(options)), core_(options_, store, host, std::move(hooks)) {
  deployment_.id = core_.deployment_id;
  deployment_.model = options_.model;
  deployment_.pid = getpid();
  deployment_.started_ms = core_.context.clock.unix_ms();
  created_s_ = deployment_.started_ms / 1000;
  const double begin = base::monotonic_seconds();
  core_.fleet.start();
  load_seconds_ = base::monotonic_seconds() - begin;
  core_.endpoint = options_.endpoint.empty() ? core_.fleet.snapshot().primary->model : options_.endpoint;
  deployment_.endpoint = core_.endpoint;
  add_classify_routes(router_, core_);
  add_oip_routes(router_, core_);
  add_tei_routes(router_, core_);
  add_pipeline_routes(router_, core_);
  add_embedding_routes(router_, core_);
  add_admin_routes(router_, core_);
  add_monitor_routes(router_, core_);
  core_.fleet.on_change([this](const Routing& routing, const std::string& reason) { on_change(routing, reason); });
  if (core_.hooks.attach) {
    core_.hooks.attach(*this);
  }
}

EncoderModel::~EncoderModel() { stop(0); }

ModelCard EncoderModel::card() const {
  const Routing now = core_.fleet.snapshot();
  ModelCard card;
  card.kind = ModelKind::kEncoder;
  card.name = core_.endpoint;
  card.display = now.primary->display();
  for (const auto& served : {now.primary, now.canary}) {
    if (served) {
      card.versions.push_back(served->version_text());
    }
  }
  card.created_s = created_s_;
  card.deployment = core_.deployment_id;
  card.architecture = model::architecture_name(now.primary->info.spec.architecture);
  card.weight_type = now.primary->info.precision;
  card.weight_bytes = now.primary->info.weight_bytes;
  return card;
}

bool EncoderModel::answers_to(std::string_view name) const { return core_.is_called(name); }

bool EncoderModel::follow() {
  core_.fleet.follow();
  return false;  // the fleet has loaded it
}

void EncoderModel::put_record(DeploymentStatus status) {
  if (core_.store == nullptr) {
    return;
  }
  deployment_.status = status;
  if (status == DeploymentStatus::kStopped) {
    deployment_.ended_ms = core_.context.clock.unix_ms();
  }
  core_.store->events().put_deployment(deployment_);
}

void EncoderModel::record_event(const std::string& kind, const Json& data) {
  if (core_.store != nullptr) {
    core_.store->events().append(kind, "deployment:" + core_.deployment_id, data);
  }
}

void EncoderModel::record_serving(const Routing& routing) {
  std::vector<record::Edge> edges;
  Json traffic = Json::array();
  for (const auto& served : {routing.primary, routing.canary}) {
    if (served) {
      const double percent = served == routing.canary ? routing.canary_percent
                             : routing.canary         ? 100 - routing.canary_percent
                                                      : 100;
      traffic.push_back({{"model", served->model}, {"version", served->version}, {"percent", percent}});
      if (served->version > 0) {
        edges.push_back({"model:" + served->display(), "deployment:" + core_.deployment_id, "serves"});
      }
    }
  }
  deployment_.meta["traffic"] = std::move(traffic);
  deployment_.meta["precision"] = routing.primary->info.precision;
  if (core_.store != nullptr && !edges.empty()) {
    core_.store->lineage().add_edges(edges);
  }
}

// The switch is made already: a store that cannot be written now must not undo it.
void EncoderModel::on_change(const Routing& routing, const std::string& reason) {
  core_.context.log.info("traffic changed", {{"reason", reason}, {"primary", routing.primary->display()}});
  const std::lock_guard lock(mutex_);
  try {
    record_serving(routing);
    put_record(deployment_.status);
    record_event(reason == "rollback" ? "rollback" : "traffic_changed",
                 {{"reason", reason}, {"traffic", deployment_.meta["traffic"]}});
  } catch (const std::exception& error) {
    core_.context.log.error("a change of traffic was not recorded", {{"error", std::string(error.what())}});
  }
}

void EncoderModel::ready(const std::string& url) {
  const Routing now = core_.fleet.snapshot();
  const std::lock_guard lock(mutex_);
  deployment_.address = url;
  record_serving(now);
  put_record(DeploymentStatus::kReady);
  record_event("deploy_started",
               {{"endpoint", core_.endpoint}, {"model", options_.model}, {"started_ms", deployment_.started_ms}});
  record_event("deploy_ready", {{"endpoint", core_.endpoint},
                                {"address", deployment_.address},
                                {"seconds", load_seconds_},
                                {"traffic", deployment_.meta["traffic"]}});
}

void EncoderModel::draining() {
  const std::lock_guard lock(mutex_);
  try {
    put_record(DeploymentStatus::kDraining);
  } catch (const std::exception& error) {
    core_.context.log.warning("the drain was not recorded", {{"error", std::string(error.what())}});
  }
}

void EncoderModel::stop(int cut_off) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return;
    }
    stopped_ = true;
  }
  core_.shut_down();  // without the lock: a worker may be changing the traffic
  const std::lock_guard lock(mutex_);
  if (deployment_.address.empty()) {
    return;  // never listened: there is no deployment
  }
  try {
    put_record(DeploymentStatus::kStopped);
    record_event("deploy_stopped", {{"cut_off", cut_off}});
  } catch (const std::exception& error) {
    core_.context.log.error("the end of a deployment was not recorded", {{"error", std::string(error.what())}});
  }
}

}  // namespace slipway::serve
