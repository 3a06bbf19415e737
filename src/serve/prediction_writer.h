// Keeps predictions: a bounded queue, one thread, one transaction for all that gathered while the last one was
// committed (group commit: nobody waits for a timer, and under load many requests share one fsync). Any thread may
// push.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/metrics.h"
#include "record/stores.h"
#include "serve/batch.h"

namespace slipway::serve {

class PredictionWriter {
 public:
  // Told once a batch's fate is known: null when it is durable. Called on the writer's thread: be short.
  using Done = std::function<void(std::exception_ptr)>;

  PredictionWriter(record::PredictionLog& store, size_t max_queue, net::MetricRegistry& metrics, base::Log& log);
  // Commits what is queued.
  ~PredictionWriter();
  PredictionWriter(const PredictionWriter&) = delete;
  PredictionWriter& operator=(const PredictionWriter&) = delete;

  // False when the queue is full: then nothing was taken, `done` is not called, and the drop is counted.
  bool push(std::shared_ptr<const Batch> batch, Done done);
  size_t queued() const;
  // Commits what is queued and ends the thread; later pushes are refused.
  void stop();

 private:
  struct Entry {
    std::shared_ptr<const Batch> batch;
    Done done;
  };
  void run();
  void commit(std::deque<Entry>& entries);

  record::PredictionLog& store_;
  size_t max_queue_;
  base::Log& log_;
  net::Counter& logged_;
  net::Counter& dropped_;
  net::Counter& failed_;
  net::Histogram& commit_seconds_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  size_t queued_ = 0;  // predictions in queue_
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::serve
