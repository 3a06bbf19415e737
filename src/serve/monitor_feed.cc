#include "serve/monitor_feed.h"

namespace slipway::serve {

MonitorFeed::MonitorFeed(MonitorSink sink, size_t max_queue, net::MetricRegistry& metrics, base::Log& log)
    : sink_(std::move(sink)),
      max_queue_(max_queue),
      log_(log),
      dropped_(metrics.counter("slipway_monitor_dropped_total",
                               "Predictions that the monitor did not see because it was too slow.")),
      thread_([this] { run(); }) {}

MonitorFeed::~MonitorFeed() { stop(); }

void MonitorFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void MonitorFeed::push(std::shared_ptr<const Batch> batch) {
  const size_t count = batch->answers.size();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_ + count > max_queue_) {
      dropped_.add(static_cast<double>(count));
      return;
    }
    queued_ += count;
    ++pushed_;
    queue_.push_back(std::move(batch));
  }
  wake_.notify_one();
}

void MonitorFeed::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t goal = pushed_;
  delivered_changed_.wait(lock, [&] { return delivered_ >= goal; });
}

void MonitorFeed::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    std::deque<std::shared_ptr<const Batch>> batches;
    batches.swap(queue_);
    queued_ = 0;
    lock.unlock();
    deliver(batches);
    lock.lock();
    delivered_ += batches.size();
    delivered_changed_.notify_all();
  }
}

void MonitorFeed::deliver(const std::deque<std::shared_ptr<const Batch>>& batches) {
  std::vector<ServedPrediction> predictions;
  for (const auto& batch : batches) {
    for (const Answer& answer : batch->answers) {
      predictions.push_back({answer.prediction, answer.ids, answer.embedding});
    }
  }
  try {
    sink_(predictions);
  } catch (const std::exception& error) {
    log_.error("the monitor failed", {{"error", std::string(error.what())}});
  }
}

}  // namespace slipway::serve
