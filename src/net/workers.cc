#include "net/workers.h"

namespace slipway::net {

Workers::Workers(int threads, size_t max_queue) : max_queue_(max_queue) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, &mine = states_.emplace_back()] { run(mine); });
  }
}

Workers::~Workers() { stop(); }

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Idle* one : idle_) {
      one->called = true;
      one->wake.notify_one();
    }
    idle_.clear();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

bool Workers::post(std::function<void()> work) {
  Idle* one = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_) {
      return false;
    }
    queue_.push_back(std::move(work));
    if (!idle_.empty()) {
      one = idle_.back();
      idle_.pop_back();
      one->called = true;
    }
  }
  if (one != nullptr) {
    one->wake.notify_one();
  }
  return true;
}

void Workers::run(Idle& mine) {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (queue_.empty()) {
      if (stopping_) {
        return;
      }
      mine.called = false;
      idle_.push_back(&mine);
      mine.wake.wait(lock, [&mine] { return mine.called; });
    }
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace slipway::net
