// Waiting for SIGTERM or SIGINT without a global of ours. From construction on the signals no longer end the process;
// after destruction they do again, so a second Ctrl-C during a drain kills. One at a time in a process.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace slipway::net {

class SignalWait {
 public:
  SignalWait();
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;
  // From now on SIGHUP, which would end the process, calls this, on the thread that is in wait(). Once, before wait().
  void on_hangup(std::function<void()> call);
  // The signal's number, or 0 when the stop token fired first.
  int wait(std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::net
