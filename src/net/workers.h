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
  struct Idle {
    std::condition_variable wake;
    bool called = false;
  };
  void run(Idle& mine);

  std::mutex mutex_;  // guards what follows
  // The one that became idle last is called first: its stack, its memory and what the store keeps for it are still in the caches.
  std::vector<Idle*> idle_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  size_t max_queue_;
  std::deque<Idle> states_;  // one for each thread; a deque, so that none moves
  std::vector<std::thread> threads_;
};

}  // namespace slipway::net
