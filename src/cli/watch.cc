#include "cli/watch.h"

#include <fmt/format.h>

#include "base/error.h"
#include "monitor/reference.h"
#include "pipeline/trigger.h"

namespace slipway::cli {

using base::Json;

namespace {
constexpr int kLeastFlushed = 50;  // fewer observations stay for the next window: they could not tell drift from chance
}  // namespace

Watch::Watch(WatchOptions options, record::Store& store, base::Context& context)
    : options_(std::move(options)), store_(store), context_(context) {}

Watch::~Watch() = default;

void Watch::attach(serve::EncoderModel& served) {
  const std::lock_guard lock(mutex_);
  served_ = &served;
}

void Watch::ensure_monitor(const std::string& model) {
  if (model == model_) {
    return;
  }
  model_ = model;
  monitor_.reset();
  if (model.find('/') == std::string::npos) {
    return;  // a folder has no version, hence no sketch
  }
  const auto version = store_.registry().resolve("models:/" + model);
  const auto sketch = version.artifacts.find("sketch");
  if (sketch == version.artifacts.end()) {
    context_.log.warning("this version has no reference sketch; drift is not watched", {{"model", model}});
    return;
  }
  auto reference = std::make_shared<monitor::ReferenceSketch>(monitor::load_sketch(store_.artifacts().path_of(sketch->second)));
  monitor_ = std::make_unique<monitor::WindowMonitor>(std::move(reference), options_.monitor, context_, &store_.events(),
                                                      "deployment:" + served_->deployment_id());
  monitor_->on_window([this](const monitor::WindowReport& report) { on_window(report); });
  monitor_->on_alert([this](const monitor::Alert& alert, const monitor::WindowReport& report) { on_alert(alert, report); });
}

void Watch::take(std::span<const serve::ServedPrediction> predictions) {
  const std::lock_guard lock(mutex_);
  if (served_ == nullptr) {
    return;
  }
  const std::string serving = served_->serving();
  for (const serve::ServedPrediction& one : predictions) {
    const record::Prediction& prediction = one.prediction;
    if (prediction.model != serving) {
      continue;  // a canary's traffic is judged by the rollout, not by the champion's sketch
    }
    ensure_monitor(serving);
    if (!monitor_) {
      return;
    }
    monitor::Observation observation;
    observation.prediction_id = prediction.id;
    observation.text = prediction.text;
    observation.tokens = prediction.tokens;
    observation.scores = prediction.scores;
    observation.embedding = one.embedding;
    observation.latency_ms = static_cast<double>(prediction.latency_us) / 1000;
    if (monitor_->add(std::move(observation))) {
      monitor_->process();
    }
  }
}

void Watch::on_window(const monitor::WindowReport& report) {
  store_.events().append("monitor_window", "deployment:" + served_->deployment_id(), monitor::to_json(report));
  context_.log.info("monitor window closed", {{"summary", monitor::summary(report)}});
  net::MetricRegistry& metrics = served_->metrics();
  for (const monitor::TestScore& test : report.tests) {
    metrics.gauge("slipway_drift_score", "Distance of the last window from the reference.", {"test", "column"}, {test.test, test.column})
        .set(test.score);
    metrics.gauge("slipway_drift_threshold", "Score above which the test alarms.", {"test", "column"}, {test.test, test.column})
        .set(test.threshold);
  }
  for (const monitor::GroupReport& group : report.groups) {
    metrics.gauge("slipway_group_rate", "Share of the label among texts that mention the group.", {"group", "label"}, {group.group, group.label})
        .set(group.rate.value);
  }
  metrics.gauge("slipway_monitor_window_error_rate", "Share of failed requests in the last window.").set(report.error_rate.value);
  metrics.gauge("slipway_drift_alarm", "1 while the last window drifted.").set(report.drift ? 1 : 0);
}

void Watch::on_alert(const monitor::Alert& alert, const monitor::WindowReport& report) {
  context_.log.warning("monitor alert", {{"alert", alert.id}, {"about", alert.key}, {"state", alert.state == monitor::Alert::State::kOpen ? "open" : "resolved"},
                                         {"summary", monitor::summary(report)}});
  if (alert.state != monitor::Alert::State::kOpen) {
    return;
  }
  store_.lineage().add_edges(std::vector<record::Edge>{{"model:" + model_, alert.id, "triggered"}});
  if (options_.retrain && alert.key == "drift") {
    pipeline::request_retrain(store_, options_.project, alert.id, monitor::to_json(alert), context_.clock.unix_ms());
  }
}

Json Watch::report() {
  const std::lock_guard lock(mutex_);
  Json json = {{"model", model_}, {"windows", Json::array()}, {"open_alerts", Json::array()}};
  if (!monitor_) {
    return json;
  }
  json["window"] = options_.monitor.window;
  json["observed"] = monitor_->observed();
  json["calibration"] = monitor::to_json(monitor_->calibration());
  for (const monitor::WindowReport& window : monitor_->recent(options_.keep_windows)) {
    json["windows"].push_back(monitor::to_json(window));
  }
  for (const monitor::Alert& alert : monitor_->open_alerts()) {
    json["open_alerts"].push_back(monitor::to_json(alert));
  }
  return json;
}

Json Watch::flush() {
  const std::lock_guard lock(mutex_);
  Json json = {{"windows", Json::array()}};
  if (monitor_) {
    for (const monitor::WindowReport& window : monitor_->flush(kLeastFlushed)) {
      json["windows"].push_back(monitor::to_json(window));
    }
    json["observed"] = monitor_->observed();
  }
  return json;
}

}  // namespace slipway::cli
