#include "monitor/window.h"

#include <algorithm>

#include "base/error.h"
#include "monitor/features.h"

namespace slipway::monitor {

void MonitorOptions::describe(base::FieldTable& table) {
  table.add("window", window, "observations in a window", {20, 1e6});
  table.add("step", step, "observations between windows; 0: windows do not overlap", {0, 1e6});
  table.add("tests", tests, "drift tests: psi (length, score, label), js (words), mmd (embedding)");
  table.add("threshold", threshold, "auto (calibrated to 2 % false alarms a window), or a number for psi and js");
  table.add("groups", groups, "kinds of groups of people whose rates are reported: gender, ethnicity, religion, ...");
  table.add("max_error_rate", max_error_rate, "share of failed requests that raises an alert; 0: none", {0, 1});
  table.add("max_latency_p95_ms", max_latency_p95_ms, "95th percentile of latency that raises an alert; 0: none",
            {0, 1e9});
  table.add("open_after", open_after, "consecutive windows that must say so before an alert opens", {1, 1000});
  table.add("resolve_after", resolve_after, "quiet windows before an alert is over", {1, 1000});
  table.add("examples", examples, "texts shown of a window", {0, 100});
  table.add("top_words", top_words, "words shown of a window", {0, 1000});
  table.add("max_pending", max_pending, "full windows that may wait; beyond it the oldest is dropped", {1, 1000});
  table.add("seed", seed, "of the calibration's random draws");
}

struct WindowMonitor::Impl {
  Impl(std::shared_ptr<const ReferenceSketch> sketch, const MonitorOptions& options_in, base::Context& context_in,
       record::EventLog* events_in, std::string subject_in)
      : options(options_in),
        context(context_in),
        events(events_in),
        subject(std::move(subject_in)),
        judge(std::move(sketch), options_in, &context_in.pool),
        alerts({options_in.open_after, options_in.resolve_after}) {}

  using Window = std::vector<Observation>;

  const MonitorOptions options;
  base::Context& context;
  record::EventLog* const events;
  const std::string subject;
  const WindowJudge judge;
  AlertBook alerts;
  std::function<void(const WindowReport&)> window_callback;
  std::function<void(const Alert&, const WindowReport&)> alert_callback;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable ready;
  std::deque<Observation> buffer;
  int since = 0;  // observations since the last window closed
  std::deque<Window> pending;
  std::deque<WindowReport> history;  // newest first
  int64_t observed = 0;
  int64_t dropped = 0;
  bool stopping = false;

  std::mutex process_mutex;  // one process() at a time; taken before `mutex`
  int64_t number = 0;        // guarded by process_mutex
  std::thread thread;

  // Moves the buffer's last `window` observations to pending. Called with `mutex` held.
  void close_window(size_t size) {
    const int step = options.step == 0 ? options.window : options.step;
    const bool overlap = step < options.window && size == static_cast<size_t>(options.window);
    Window window;
    window.reserve(size);
    for (size_t i = buffer.size() - size; i < buffer.size(); ++i) {
      if (overlap) {
        window.push_back(buffer[i]);
      } else {
        window.push_back(std::move(buffer[i]));
      }
    }
    if (!overlap) {
      buffer.clear();
    }
    since = 0;
    pending.push_back(std::move(window));
    if (pending.size() > static_cast<size_t>(options.max_pending)) {
      pending.pop_front();
      ++dropped;
    }
  }

  void record(const std::string& kind, const base::Json& data) {
    if (events == nullptr) {
      return;
    }
    try {
      events->append(kind, subject, data);
    } catch (const base::Error& e) {  // a store that is full or locked must not end the watch
      context.log.error("could not record a monitoring event", {{"kind", kind}, {"reason", std::string(e.what())}});
    }
  }

  void check(const std::string& key, bool fires, WindowReport& report) {
    const bool drift = key == "drift";
    const base::Json evidence = fires ? to_json(report) : base::Json(nullptr);
    const auto change = alerts.update(key, fires, evidence, report.time_ms);
    if (!change) {
      return;
    }
    const bool opened = change->state == Alert::State::kOpen;
    record(opened ? (drift ? "drift_detected" : "alert_opened") : (drift ? "drift_resolved" : "alert_resolved"),
           to_json(*change));
    if (opened) {
      context.log.warning("alert opened", {{"alert", change->id}, {"about", key}, {"window", report.number}});
    } else {
      context.log.info("alert resolved", {{"alert", change->id}, {"about", key}, {"window", report.number}});
    }
    report.alerts.push_back(*change);
  }

  WindowReport process_one(const Window& window) {
    WindowReport report = judge.judge(window, &context.pool);
    report.number = ++number;
    report.time_ms = context.clock.unix_ms();
    check("drift", report.drift, report);
    if (options.max_error_rate > 0) {
      check("errors", report.error_rate.value > options.max_error_rate, report);
    }
    if (options.max_latency_p95_ms > 0) {
      check("latency", report.latency_p95_ms > options.max_latency_p95_ms, report);
    }
    {
      constexpr size_t kHistory = 100;
      const std::lock_guard lock(mutex);
      history.push_front(report);
      if (history.size() > kHistory) {
        history.pop_back();
      }
    }
    if (alert_callback) {
      for (const Alert& alert : report.alerts) {
        alert_callback(alert, report);
      }
    }
    if (window_callback) {
      window_callback(report);
    }
    return report;
  }

  std::vector<WindowReport> process() {
    const std::lock_guard one_at_a_time(process_mutex);
    std::vector<WindowReport> reports;
    for (;;) {
      Window window;
      {
        const std::lock_guard lock(mutex);
        if (pending.empty()) {
          return reports;
        }
        window = std::move(pending.front());
        pending.pop_front();
      }
      reports.push_back(process_one(window));
    }
  }

  void run() {
    for (;;) {
      {
        std::unique_lock lock(mutex);
        ready.wait(lock, [&] { return stopping || !pending.empty(); });
        if (pending.empty()) {
          return;
        }
      }
      try {
        process();
      } catch (const std::exception& e) {  // the boundary of this thread
        context.log.error("a monitoring window failed", {{"reason", std::string(e.what())}});
      }
    }
  }
};

WindowMonitor::WindowMonitor(std::shared_ptr<const ReferenceSketch> sketch, const MonitorOptions& options,
                             base::Context& context, record::EventLog* events, std::string subject)
    : impl_(std::make_unique<Impl>(std::move(sketch), options, context, events, std::move(subject))) {}

WindowMonitor::~WindowMonitor() { stop(); }

bool WindowMonitor::add(Observation observation) {
  if (observation.text.size() > kMaxTextBytes) {
    observation.text.resize(bounded(observation.text).size());
  }
  Impl& m = *impl_;
  const int step = m.options.step == 0 ? m.options.window : m.options.step;
  bool full = false;
  {
    const std::lock_guard lock(m.mutex);
    m.buffer.push_back(std::move(observation));
    ++m.observed;
    ++m.since;
    if (m.buffer.size() > static_cast<size_t>(m.options.window)) {
      m.buffer.pop_front();
    }
    full = m.buffer.size() == static_cast<size_t>(m.options.window) && m.since >= step;
    if (full) {
      m.close_window(m.buffer.size());
    }
  }
  if (full) {
    m.ready.notify_one();
  }
  return full;
}

std::vector<WindowReport> WindowMonitor::process() { return impl_->process(); }

std::vector<WindowReport> WindowMonitor::flush(int least) {
  {
    const std::lock_guard lock(impl_->mutex);
    const size_t fresh = std::min(impl_->buffer.size(), static_cast<size_t>(impl_->since));
    if (fresh > 0 && fresh >= static_cast<size_t>(std::max(1, least))) {
      impl_->close_window(fresh);
    }
  }
  return impl_->process();
}

void WindowMonitor::start() {
  if (!impl_->thread.joinable()) {
    impl_->stopping = false;
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  }
}

void WindowMonitor::stop() {
  if (impl_->thread.joinable()) {
    {
      const std::lock_guard lock(impl_->mutex);
      impl_->stopping = true;
    }
    impl_->ready.notify_all();
    impl_->thread.join();
  }
}

void WindowMonitor::on_window(std::function<void(const WindowReport&)> callback) {
  impl_->window_callback = std::move(callback);
}

void WindowMonitor::on_alert(std::function<void(const Alert&, const WindowReport&)> callback) {
  impl_->alert_callback = std::move(callback);
}

int64_t WindowMonitor::observed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->observed;
}

int64_t WindowMonitor::dropped_windows() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->dropped;
}

std::vector<Alert> WindowMonitor::open_alerts() const { return impl_->alerts.open(); }

std::vector<WindowReport> WindowMonitor::recent(int limit) const {
  const std::lock_guard lock(impl_->mutex);
  const size_t count = std::min(impl_->history.size(), static_cast<size_t>(std::max(0, limit)));
  return {impl_->history.begin(), impl_->history.begin() + static_cast<std::ptrdiff_t>(count)};
}

const Calibration& WindowMonitor::calibration() const { return impl_->judge.calibration(); }

}  // namespace slipway::monitor
