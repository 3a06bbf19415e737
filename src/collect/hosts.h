// Whose turn it is: queues of addresses by host, a request at a time to each, with the pause its owner asks for in between. Knows no
// clock: times are seconds that the caller tells. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace slipway::collect {

class Hosts {
 public:
  struct Turn {
    size_t host = 0;   // a number that stays
    uint32_t item = 0;
  };

  size_t host_of(const std::string& name);  // its number, new or known
  const std::string& name(size_t host) const { return hosts_[host].name; }

  void push(size_t host, uint32_t item);        // last in the host's queue
  void push_front(size_t host, uint32_t item);  // first: what is tried again
  // The host that has waited longest of those whose pause is over, and its next item. It is busy until done() is called.
  std::optional<Turn> take(double now);
  // It may be asked again from `ready` on.
  void done(size_t host, double ready);
  // All that waits for this host is given back, in order.
  std::deque<uint32_t> drain(size_t host);

  // When take() can have something, if nothing is pushed or done meanwhile; nothing when all is busy or empty.
  std::optional<double> next_time() const;
  bool idle() const noexcept { return waiting_ == 0 && busy_ == 0; }
  uint64_t waiting() const noexcept { return waiting_; }
  uint64_t busy() const noexcept { return busy_; }
  uint64_t waiting(size_t host) const { return hosts_[host].queue.size(); }

 private:
  struct Host {
    std::string name;
    std::deque<uint32_t> queue;
    double ready = 0;
    bool busy = false;
  };
  void schedule(size_t host);

  std::vector<Host> hosts_;
  std::unordered_map<std::string, size_t> numbers_;
  std::set<std::pair<double, size_t>> turns_;  // hosts that are not busy and have something waiting
  uint64_t waiting_ = 0;
  uint64_t busy_ = 0;
};

}  // namespace slipway::collect
