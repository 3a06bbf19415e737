#include "engine/request_book.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::engine {

void RequestBook::check_open(int waiting, int max_queue) const {
  if (draining || stopping) {
    throw base::Error(base::Code::kUnavailable, "the model is being unloaded and takes no more requests");
  }
  if (waiting >= max_queue) {
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("{} requests are waiting already; try again later", waiting));
  }
}

uint64_t RequestBook::accept(uint64_t handle) {
  handles.insert(handle);
  ++unfinished;
  work.notify_all();
  return handle;
}

void RequestBook::ended(uint64_t handle) {
  handles.erase(handle);
  cancelled.erase(handle);
}

void RequestBook::told() {
  const std::lock_guard lock(mutex);
  if (--unfinished == 0) {
    idle.notify_all();
  }
}

bool RequestBook::cancel(uint64_t handle) {
  const std::lock_guard lock(mutex);
  if (!handles.contains(handle)) {
    return false;
  }
  cancelled.insert(handle);
  work.notify_all();
  return true;
}

void RequestBook::drain(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex);
  draining = true;
  const auto done = [this] { return unfinished == 0; };
  if (limit.count() <= 0 || !idle.wait_for(lock, limit, done)) {
    cancelled = handles;
    work.notify_all();
    idle.wait(lock, done);
  }
}

void RequestBook::stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    cancelled = handles;
  }
  work.notify_all();
}

}  // namespace slipway::engine
