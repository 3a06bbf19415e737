// Watches live traffic in windows: each full window is compared with the reference sketch, described (words, examples,
// groups, latency) and, when it is not what unchanged traffic looks like, becomes an alert and an event. add() is cheap
// and may be called from any thread; the work is done in process(), by whoever calls it, or by the monitor's own thread
// after start().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "monitor/alert.h"
#include "monitor/calibration.h"
#include "monitor/observation.h"
#include "monitor/reference.h"
#include "record/stores.h"
#include "stats/interval.h"

namespace slipway::monitor {

struct MonitorOptions {
  int window = 1000;  // observations a window
  int step = 0;       // observations between windows; 0: `window`, so that they do not overlap
  std::vector<std::string> tests = {"psi", "js", "mmd"};
  std::string threshold = "auto";  // "auto": calibrated; a number: for psi and js scores instead
  std::vector<std::string> groups = {"gender",
                                     "ethnicity"};  // kinds of groups whose rates are reported ("race" = "ethnicity")
  double max_error_rate = 0;                        // share of failed requests that raises an alert; 0: not watched
  double max_latency_p95_ms = 0;                    // 0: not watched
  int open_after = 1;                               // windows that must say so before an alert opens
  int resolve_after = 2;                            // quiet windows before it is over
  int examples = 5;
  int top_words = 15;
  int max_pending = 4;  // full windows waiting for process(); beyond it the oldest is dropped and counted
  uint64_t seed = 7;

  void describe(base::FieldTable& table);
};

struct TestScore {
  std::string test;    // "psi", "js", "mmd"
  std::string column;  // "length", "score", "label", "words", "embedding"
  double score = 0;
  double threshold = 0;
  double p = 1;
  bool alarm = false;
};

struct MovedWord {
  std::string word;
  double z = 0;  // log-odds ratio with informative Dirichlet prior, over its standard error (Monroe 2008): > 0 more
                 // than before
  int64_t count = 0;            // in the window
  int64_t reference_count = 0;  // in the reference
};

struct MovedExample {
  std::string prediction_id;
  std::string text;  // at most 280 code points
  std::string label;
  double distance = 0;  // by the MMD witness (window minus reference mean kernel), or mean word z without embeddings
};

struct GroupReport {
  std::string group;          // "gender:female"
  std::string label;          // whose rate is reported: the last of the model's labels
  stats::Interval rate;       // in the window, Wilson 95 %
  stats::Interval reference;  // in the reference; n 0: the reference has no such row
  double p = 1;               // two proportions, corrected over groups (Holm)
};

struct WindowReport {
  int64_t number = 0;  // of this monitor, from 1
  int64_t n = 0;       // observations
  int64_t time_ms = 0;
  std::vector<TestScore> tests;
  bool drift = false;  // any test alarmed
  std::vector<MovedWord> words;
  std::vector<MovedExample> examples;
  std::vector<GroupReport> groups;
  std::map<std::string, double> labels;     // share of each predicted label
  std::map<std::string, double> languages;  // share of each language
  double latency_p50_ms = 0;
  double latency_p95_ms = 0;
  double latency_p99_ms = 0;
  stats::Interval error_rate;
  std::vector<Alert> alerts;  // opened or resolved by this window
};

base::Json to_json(const WindowReport& report);
// One line for people: "window 3 (500): drift in words (js 0.41 > 0.18), embedding (mmd …)".
std::string summary(const WindowReport& report);

// Compares one window without any state: what WindowMonitor and simulate() do for each window. Deterministic.
class WindowJudge {
 public:
  // Copies what it needs from `sketch`. Calibrates for `options.window` at once (about 1 s with embeddings).
  WindowJudge(std::shared_ptr<const ReferenceSketch> sketch, const MonitorOptions& options, base::Pool* pool = nullptr);
  ~WindowJudge();
  // Any thread. A window of another size than options.window is judged by thresholds calibrated for its size (kept for
  // the next).
  WindowReport judge(std::span<const Observation> window, base::Pool* pool = nullptr) const;
  // Scores and alarms alone, without words, examples and groups.
  std::vector<TestScore> scores(std::span<const Observation> window, base::Pool* pool = nullptr) const;
  const Calibration& calibration() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class WindowMonitor {
 public:
  // Borrows context, and `events` (may be null: nothing is recorded), which outlive it. `subject` is the node id that
  // events are about
  // ("deployment:ID"). Events: "drift_detected", "drift_resolved", "alert_opened", "alert_resolved".
  WindowMonitor(std::shared_ptr<const ReferenceSketch> sketch, const MonitorOptions& options, base::Context& context,
                record::EventLog* events = nullptr, std::string subject = {});
  ~WindowMonitor();
  WindowMonitor(const WindowMonitor&) = delete;
  WindowMonitor& operator=(const WindowMonitor&) = delete;

  // Appends; true when a window is full and waits for process(). Microseconds. Any thread.
  bool add(Observation observation);
  // Judges the windows that are full, oldest first, records events and calls back. One caller at a time works, others
  // wait.
  std::vector<WindowReport> process();
  // Closes the window that is not yet full, if it has at least `least` observations, and processes it.
  std::vector<WindowReport> flush(int least = 100);
  // A thread of its own that calls process() whenever a window is full; stop() joins it after what is pending.
  void start();
  void stop();

  // Called after each window, and when an alert opens or resolves, from the processing thread. Set before traffic.
  void on_window(std::function<void(const WindowReport&)> callback);
  void on_alert(std::function<void(const Alert&, const WindowReport&)> callback);

  int64_t observed() const;
  int64_t dropped_windows() const;
  std::vector<Alert> open_alerts() const;
  // The last `limit` reports, newest first.
  std::vector<WindowReport> recent(int limit) const;
  const Calibration& calibration() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::monitor
