#include "serve/prediction_writer.h"

#include "base/clock.h"

namespace slipway::serve {

PredictionWriter::PredictionWriter(record::PredictionLog& store, size_t max_queue, net::MetricRegistry& metrics,
                                   base::Log& log)
    : store_(store),
      max_queue_(max_queue),
      log_(log),
      logged_(metrics.counter("slipway_predictions_logged_total", "Predictions committed to the store.")),
      dropped_(metrics.counter("slipway_predictions_dropped_total",
                               "Predictions that were not logged because the queue was full.")),
      failed_(metrics.counter("slipway_predictions_failed_total", "Predictions whose commit failed.")),
      commit_seconds_(metrics.histogram("slipway_prediction_commit_seconds", "Time of one transaction of predictions.",
                                        net::latency_bounds())),
      thread_([this] { run(); }) {}

PredictionWriter::~PredictionWriter() { stop(); }

void PredictionWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool PredictionWriter::push(std::shared_ptr<const Batch> batch, Done done) {
  const size_t count = batch->answers.size();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_ + count > max_queue_) {
      dropped_.add(static_cast<double>(count));
      return false;
    }
    queued_ += count;
    queue_.push_back({std::move(batch), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

size_t PredictionWriter::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

void PredictionWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    std::deque<Entry> entries;
    entries.swap(queue_);
    queued_ = 0;
    lock.unlock();
    commit(entries);
    lock.lock();
  }
}

void PredictionWriter::commit(std::deque<Entry>& entries) {
  std::vector<record::Prediction> predictions;
  for (const Entry& entry : entries) {
    for (const Answer& answer : entry.batch->answers) {
      predictions.push_back(answer.prediction);
    }
  }
  const double start = base::monotonic_seconds();
  std::exception_ptr error;
  try {
    store_.append(predictions);
    logged_.add(static_cast<double>(predictions.size()));
  } catch (const std::exception& problem) {
    error = std::current_exception();
    failed_.add(static_cast<double>(predictions.size()));
    log_.error("predictions were not logged", {{"count", predictions.size()}, {"error", std::string(problem.what())}});
  }
  commit_seconds_.observe(base::monotonic_seconds() - start);
  for (const Entry& entry : entries) {
    if (entry.done) {
      entry.done(error);
    }
  }
}

}  // namespace slipway::serve
