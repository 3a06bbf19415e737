// The monitor of a served model, put together: sketch of the version that serves, windows, events into the record, gauges into
// /metrics, and what an alert starts. Owned by the hooks of the encoder that it watches;
// its sink runs on that one's feed thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/context.h"
#include "monitor/window.h"
#include "net/metrics.h"
#include "record/stores.h"
#include "serve/encoder_model.h"

namespace slipway::cli {

struct WatchOptions {
  monitor::MonitorOptions monitor;
  bool retrain = false;     // an alert asks for a new run of `project`
  std::string project;
  int keep_windows = 50;    // in GET /v1/monitor
};

class Watch {
 public:
  // Borrows store and context. The sketch is loaded, and thresholds are calibrated, when the first prediction arrives: a server
  // is ready before that.
  Watch(WatchOptions options, record::Store& store, base::Context& context);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Whose predictions come; it outlives them.
  void attach(serve::EncoderModel& served);

  void take(std::span<const serve::ServedPrediction> predictions);
  base::Json report();
  base::Json flush();

 private:
  // Makes the monitor of `model` ("NAME/VERSION"); null when the version has no sketch.
  void ensure_monitor(const std::string& model);
  void on_window(const monitor::WindowReport& report);
  void on_alert(const monitor::Alert& alert, const monitor::WindowReport& report);

  WatchOptions options_;
  record::Store& store_;
  base::Context& context_;
  serve::EncoderModel* served_ = nullptr;
  std::mutex mutex_;
  std::string model_;  // whose monitor this is
  std::unique_ptr<monitor::WindowMonitor> monitor_;
};

}  // namespace slipway::cli
