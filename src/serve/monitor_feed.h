// Carries what was served to the monitor's sink on a thread of its own, in order. The sink may take seconds (it
// calibrates at first use): the queue holds back that long, and drops and counts beyond its bound. Any thread may push.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/metrics.h"
#include "serve/batch.h"
#include "serve/options.h"

namespace slipway::serve {

class MonitorFeed {
 public:
  MonitorFeed(MonitorSink sink, size_t max_queue, net::MetricRegistry& metrics, base::Log& log);
  // Delivers what is queued.
  ~MonitorFeed();
  MonitorFeed(const MonitorFeed&) = delete;
  MonitorFeed& operator=(const MonitorFeed&) = delete;

  void push(std::shared_ptr<const Batch> batch);
  // Returns when all that was pushed before has been given to the sink.
  void flush();
  void stop();

 private:
  void run();
  void deliver(const std::deque<std::shared_ptr<const Batch>>& batches);

  MonitorSink sink_;
  size_t max_queue_;
  base::Log& log_;
  net::Counter& dropped_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::condition_variable delivered_changed_;
  std::deque<std::shared_ptr<const Batch>> queue_;
  size_t queued_ = 0;
  uint64_t pushed_ = 0;     // batches ever
  uint64_t delivered_ = 0;  // batches ever
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slipway::serve
