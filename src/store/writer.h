// Writes to a store, one transaction at a time: what has gathered while the last commit was under way is committed
// together (group commit), so that many callers share one fsync. The first caller in the queue commits for all in it: a
// write that meets no other costs no change of threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>

#include "store/database.h"

namespace slipway::store {

class Writer {
 public:
  // Work runs inside a transaction, on its caller's thread or another caller's. It may run more than once (after a roll
  // back), so it assigns its results rather than adding to them.
  using Work = std::function<void(Database&)>;

  explicit Writer(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  // No write may be under way. What need not be durable is put on the disk.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Runs `work` and returns when it is committed; rethrows what it threw (then nothing of it is kept; others in the
  // same transaction are). `durable`: on the disk on return; else handed to the operating system, and on the disk
  // within a second. The queue is bounded by its waiting callers: each has one entry. Any thread.
  void write(bool durable, const Work& work);

 private:
  struct Job {
    const Work* work;  // null: what is not on the disk yet is to be put there
    bool durable;
    std::exception_ptr error = nullptr;
    bool done = false;                // set before `turn`; else the turn is to commit
    std::binary_semaphore turn{0};  // one a job: a commit wakes nobody but those whose work it held
  };
  // Waits for its turn, or for another caller to have done it.
  void submit(Job& job);
  // Commits what is queued, the caller's job at its front; hands the turn on.
  void lead(Job& mine);
  void sync_later();
  void commit_together(const std::deque<Job*>& batch);
  void commit_alone(Job& job);
  void begin(bool durable) { database_->begin(durable ? Access::kWrite : Access::kWriteSoon); }
  void finish(bool durable);
  void sync_log() noexcept;

  std::unique_ptr<Database> database_;  // of the caller that commits
  std::atomic<bool> unsynced_ = false;  // commits that are not on the disk yet

  std::mutex mutex_;  // guards what follows
  std::deque<Job*> queue_;
  bool committing_ = false;  // somebody has the turn
  bool stop_ = false;
  std::condition_variable wake_;
  std::thread syncer_;  // starts with the first commit that need not be durable
};

}  // namespace slipway::store
