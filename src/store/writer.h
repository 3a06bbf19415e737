// The one thread of a store that writes: it commits what has gathered while the last commit was under way as one
// transaction (group commit), so that many writers share one fsync. It starts with the first write.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "store/sqlite.h"

namespace slipway::store {

class Writer {
 public:
  // Work runs inside a transaction on the writer's thread. It may run more than once (after a roll back), so it assigns
  // its results rather than adding to them.
  using Work = std::function<void(Database&)>;

  explicit Writer(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  // Writes all that was submitted before, then ends the thread.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Runs `work` and returns when it is committed; rethrows what it threw (then nothing of it is kept; others in the
  // same transaction are). `durable`: on the disk on return; else handed to the operating system, and on the disk
  // within a second. The queue is bounded by its waiting callers: each has one entry. Any thread.
  void write(bool durable, const Work& work);

 private:
  struct Job {
    const Work* work;
    bool durable;
    std::exception_ptr error;
    bool done = false;
  };
  void loop();
  void commit_together(const std::deque<Job*>& batch);
  void commit_alone(Job& job);
  void begin(bool durable);
  void finish(bool durable);
  void roll_back() noexcept;
  void sync_log() noexcept;

  std::unique_ptr<Database> database_;  // used by the thread only, once it runs
  bool full_sync_ = true;               // PRAGMA synchronous now
  bool unsynced_ = false;               // commits that are not on the disk yet

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::condition_variable done_;
  std::deque<Job*> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace slipway::store
