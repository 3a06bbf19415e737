#include "base/pool.h"

#include <algorithm>
#include <exception>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/cpu.h"

namespace slipway::base {
namespace {

thread_local bool inside_pool = false;  // NOLINT: marks a body, so that nested calls run inline

// About 20 microseconds: longer than the gap between two layers of a model, shorter than a scheduler tick.
constexpr int kSpins = 2000;

// Set in running_ while no job is open; the rest of it counts the workers inside drain().
constexpr int kClosed = 1 << 30;

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

Pool::Pool(int threads) {
  const int total = threads > 0 ? threads : usable_cores();
  workers_.reserve(static_cast<size_t>(total - 1));
  for (int i = 1; i < total; ++i) {
    workers_.emplace_back([this] { work(); });
  }
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    ++generation_;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

void Pool::drain() {
  inside_pool = true;
  try {
    for (int64_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
      (*body_)(i);
    }
  } catch (...) {
    next_ = count_;
    const std::lock_guard lock(mutex_);
    if (!error_) {
      error_ = std::current_exception();
    }
  }
  inside_pool = false;
}

void Pool::work() {
  uint64_t seen = 0;
  while (true) {
    for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; ++spin) {
      pause_briefly();
    }
    if (generation_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
    }
    seen = generation_.load(std::memory_order_acquire);
    if (stop_) {
      return;
    }
    // A worker that the machine let run too late finds the job closed: nobody waited for it.
    if ((running_.fetch_add(1, std::memory_order_acq_rel) & kClosed) == 0) {
      drain();
    }
    running_.fetch_sub(1, std::memory_order_release);
  }
}

void Pool::parallel_for(int64_t count, const std::function<void(int64_t)>& body) {
  if (inside_pool || workers_.empty() || count <= 1) {
    for (int64_t i = 0; i < count; ++i) {
      body(i);
    }
    return;
  }
  const std::lock_guard call(call_mutex_);
  body_ = &body;
  count_ = count;
  next_ = 0;
  {
    const std::lock_guard lock(mutex_);
    error_ = nullptr;
    running_.fetch_and(~kClosed, std::memory_order_acq_rel);
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  drain();
  // Every worker inside drain() must have left it before the job's variables may change: wait, politely.
  running_.fetch_or(kClosed, std::memory_order_acq_rel);
  for (int spin = 0; running_.load(std::memory_order_acquire) != kClosed; ++spin) {
    if (spin < kSpins) {
      pause_briefly();
    } else {
      std::this_thread::yield();
    }
  }
  if (error_) {
    std::rethrow_exception(error_);
  }
}

void Pool::parallel_chunks(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  const int64_t chunks = (count + grain - 1) / grain;
  parallel_for(chunks, [&](int64_t i) { body(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace slipway::base
