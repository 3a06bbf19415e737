// A few threads for what must not run on a network thread: large bodies, long work, the store. Bounded: when the
// queue is full, post() refuses. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::net {

class Workers {
 public:
  Workers(int threads, size_t max_queue);
  // Finishes what is queued.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  // False when the queue is full or the workers stop. `work` must not throw.
  bool post(std::function<void()> work);
  void stop();

 private:
  void run();

  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  size_t max_queue_;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::net
