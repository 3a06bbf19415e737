// Threads for computing, sized to cores. One parallel_for runs at a time; the caller takes part in it. Workers spin
// briefly between jobs and then sleep, so that a descheduled core on a shared machine does not hold the others.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::base {

class Pool {
 public:
  // `threads` including the caller; 0 = usable_cores().
  explicit Pool(int threads = 0);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  // Runs body(i) for every i in [0, count), items handed out one by one (so order of execution is not defined, and a slow
  // core takes fewer). Returns when all are done; the first exception is rethrown after that. Calls from several threads
  // are serialised; a call from within a body runs inline.
  void parallel_for(int64_t count, const std::function<void(int64_t)>& body);
  // The same in chunks of `grain`: body(begin, end).
  void parallel_chunks(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

 private:
  void work();
  void drain();

  std::vector<std::thread> workers_;
  std::mutex call_mutex_;  // one parallel_for at a time
  std::mutex mutex_;       // guards the sleep of workers and error_
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> stop_{false};
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> running_{0};
  std::exception_ptr error_;
};

}  // namespace slipway::base
