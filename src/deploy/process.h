// A deployment as a process of its own on this machine: `slipway serve …` started detached, found again through its
// record, stopped by its pid. Any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "record/stores.h"

namespace slipway::deploy {

struct ProcessOptions {
  std::filesystem::path program;       // the slipway binary; empty: the running one (/proc/self/exe)
  std::vector<std::string> arguments;  // {"serve", "models:/x@champion", "--port", "8080", …}
  std::filesystem::path log_file;      // stdout and stderr are appended
  std::filesystem::path ready_file;    // the child writes {"pid","url","deployment"} there when it listens
  std::filesystem::path directory;     // working folder; empty: the caller's
  std::chrono::milliseconds ready_timeout{30'000};
  bool tied = false;  // its standard input is the Lifeline of the result; else /dev/null
};

// The writing end of a pipe that is the standard input of a process which ends when that input ends (`slipway serve
// --until-input-ends`): it goes when this object does, or when our process dies in whatever way. Move only.
class Lifeline {
 public:
  Lifeline() = default;
  explicit Lifeline(int fd) noexcept : fd_(fd) {}
  ~Lifeline();
  Lifeline(Lifeline&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Lifeline& operator=(Lifeline&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  // Lets the process live on: it is told to watch its input no more.
  void release() noexcept;

 private:
  int fd_ = -1;
};

struct RunningProcess {
  int64_t pid = 0;
  std::string url;
  std::string deployment;  // id
  Lifeline lifeline;       // of a tied one
};

// Starts it in a session of its own (a closed terminal does not end it) and waits until it says where it listens and
// GET /health answers 200. Throws Error(kFailure) with the end of its log when it exits before, kUnavailable when it is
// not ready in time (it is stopped then).
RunningProcess start_process(const ProcessOptions& options, base::Context& context);

// The deployment of `endpoint` that is running now: its record is not stopped, its pid is alive, and its /health
// answers. A record whose process has gone is marked stopped.
std::optional<record::Deployment> find_running(record::Store& store, const std::string& endpoint);

// SIGTERM, then waits until the pid has gone; SIGKILL at the deadline. True when it drained by itself. The deployment's
// record is marked stopped if the process did not do it.
bool stop_process(record::Store& store, const record::Deployment& deployment, std::chrono::milliseconds deadline,
                  base::Context& context);

}  // namespace slipway::deploy
