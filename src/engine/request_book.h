// Which requests a scheduler has accepted, which of them were cancelled, and whether it takes more: what every
// scheduler does alike, whatever its requests are. The owner's thread waits on `work`; clients call from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <unordered_set>

namespace slipway::engine {

struct RequestBook {
  // With mutex: throws Error(kUnavailable) when it drains or stops, or `waiting` requests fill the queue.
  void check_open(int waiting, int max_queue) const;
  // With mutex: the handle of a request that is now accepted; wakes the owner's thread.
  uint64_t accept(uint64_t handle);
  // With mutex: the request has its result, and its on_done comes next. Who has the result may expect the numbers to
  // know of it, so this comes first; told() follows.
  void ended(uint64_t handle);

  // These take the mutex.
  void told();                   // an on_done has returned
  bool cancel(uint64_t handle);  // false when it is not there (any more)
  // Takes no more requests; returns when all on_done have returned, or, after `limit`, were told of the cancellation.
  void drain(std::chrono::milliseconds limit);
  void stop();  // cancels what is left; the owner's thread ends then

  mutable std::mutex mutex;
  std::condition_variable work;
  std::condition_variable idle;
  // Guarded by mutex.
  std::unordered_set<uint64_t> handles;  // of all that are accepted and have not ended
  std::unordered_set<uint64_t> cancelled;
  int unfinished = 0;  // whose on_done has not returned
  uint64_t next_handle = 1;
  bool draining = false;
  bool stopping = false;
};

}  // namespace slipway::engine
