// A version that is loaded and takes traffic, with what is known of its recent answers. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "serve/backend.h"

namespace slipway::serve {

class Served {
 public:
  std::string model;      // registered name, or the folder's
  int version = 0;        // 0 for a folder
  std::string reference;  // as asked for
  std::string digest;     // of the artifact, or a hub's commit; empty for a folder
  // Taken away (only) by the thread that retires the version, after its last request: see Fleet.
  std::shared_ptr<Backend> backend;
  std::vector<std::string> labels;
  BackendInfo info;

  // "movie-sentiment/3"; the name alone for a folder.
  std::string display() const;
  // What protocols show: "3", or "1" for a folder.
  std::string version_text() const;

  // One request answered after `latency_us`, or failed for a reason that is ours.
  void record_outcome(int64_t time_ms, int64_t latency_us, bool ok);
  // Requests, errors and latencies among the newest kKept outcomes at or after `since_ms`.
  base::Json outcomes(int64_t since_ms, bool with_latencies) const;
  int64_t requests() const noexcept { return requests_.load(); }

  static constexpr size_t kKept = 4096;

 private:
  struct Outcome {
    int64_t time_ms;
    int64_t latency_us;
    bool ok;
  };
  std::atomic<int64_t> requests_{0};
  std::atomic<int64_t> errors_{0};
  mutable std::mutex mutex_;  // guards recent_
  std::deque<Outcome> recent_;
};

}  // namespace slipway::serve
