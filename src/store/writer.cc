#include "store/writer.h"

#include <chrono>

#include "base/error.h"

namespace slipway::store {
namespace {

// Jobs in one transaction: enough to make the fsync's share small, few enough that the first does not wait long.
constexpr size_t kBatchJobs = 128;
// How long a commit that need not be durable may stay unsynced.
constexpr std::chrono::milliseconds kSyncAfter{500};

}  // namespace

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (syncer_.joinable()) {
    syncer_.join();
  }
  sync_log();
}

void Writer::write(bool durable, const Work& work) {
  Job job{&work, durable};
  submit(job);
  if (job.error) {
    std::rethrow_exception(job.error);
  }
}

void Writer::submit(Job& job) {
  std::unique_lock lock(mutex_);
  queue_.push_back(&job);
  const bool wait = committing_;
  committing_ = true;
  lock.unlock();
  if (wait) {
    job.turn.acquire();
  }
  if (!job.done) {
    lead(job);
  }
}

void Writer::lead(Job& mine) {
  std::deque<Job*> batch;
  Job* sync = nullptr;  // the syncer's, which has one at a time
  std::unique_lock lock(mutex_);
  while (!queue_.empty() && batch.size() < kBatchJobs) {
    Job* const job = queue_.front();
    queue_.pop_front();
    job->work == nullptr ? void(sync = job) : batch.push_back(job);
  }
  lock.unlock();
  if (!batch.empty()) {
    commit_together(batch);
  }
  if (sync != nullptr) {
    sync_log();
    batch.push_back(sync);  // told with the others
  }
  lock.lock();
  Job* const next = queue_.empty() ? nullptr : queue_.front();
  committing_ = next != nullptr;
  if (unsynced_ && !syncer_.joinable()) {
    syncer_ = std::thread([this] { sync_later(); });
  }
  lock.unlock();
  if (next != nullptr) {
    next->turn.release();
  }
  if (unsynced_) {
    wake_.notify_one();
  }
  for (Job* job : batch) {
    if (job != &mine) {
      job->done = true;  // the job belongs to its caller again, as soon as the semaphore is released
      job->turn.release();
    }
  }
}

void Writer::sync_later() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || unsynced_; });
    wake_.wait_for(lock, kSyncAfter, [this] { return stop_; });
    lock.unlock();
    // In its turn: beside a commit, a sync that fails could drop what the commit's own sync then finds clean.
    Job job{nullptr, false};
    submit(job);
    lock.lock();
  }
}

void Writer::finish(bool durable) {
  database_->commit();
  unsynced_ = !durable;  // a durable commit syncs the whole log, what came before included
}

void Writer::commit_together(const std::deque<Job*>& batch) {
  if (batch.size() == 1) {
    commit_alone(*batch.front());
    return;
  }
  const auto tell_all = [&](const std::exception_ptr& error) {
    for (Job* job : batch) {
      job->error = error;
    }
  };
  bool durable = false;
  for (const Job* job : batch) {
    durable = durable || job->durable;
  }
  try {
    begin(durable);
    for (Job* job : batch) {
      job->error = nullptr;
      database_->prepare("SAVEPOINT job").run();
      try {
        (*job->work)(*database_);
        database_->settle();
      } catch (...) {
        if (!database_->in_transaction()) {
          throw;  // the whole transaction was given up (full disk, connection lost): nobody's work is kept
        }
        job->error = std::current_exception();
        database_->exec("ROLLBACK TO job");
      }
      database_->prepare("RELEASE job").run();
    }
    finish(durable);
  } catch (const CommitUnknown&) {
    tell_all(std::current_exception());  // it may have been kept: doing it again could do it twice
  } catch (...) {
    database_->roll_back();
    for (Job* job : batch) {
      commit_alone(*job);  // each learns its own fate
    }
  }
}

void Writer::commit_alone(Job& job) {
  try {
    begin(job.durable);
    (*job.work)(*database_);
    finish(job.durable);
    job.error = nullptr;
  } catch (...) {
    job.error = std::current_exception();
    database_->roll_back();
  }
}

void Writer::sync_log() noexcept {
  if (!unsynced_.exchange(false)) {
    return;
  }
  database_->sync();  // beside whoever commits
}

}  // namespace slipway::store
