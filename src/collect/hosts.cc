#include "collect/hosts.h"

namespace slipway::collect {

size_t Hosts::host_of(const std::string& name) {
  const auto [it, added] = numbers_.try_emplace(name, hosts_.size());
  if (added) {
    hosts_.push_back({name, {}, 0, false});
  }
  return it->second;
}

void Hosts::schedule(size_t host) {
  const Host& one = hosts_[host];
  if (!one.busy && !one.queue.empty()) {
    turns_.emplace(one.ready, host);
  }
}

void Hosts::push(size_t host, uint32_t item) {
  hosts_[host].queue.push_back(item);
  ++waiting_;
  schedule(host);
}

void Hosts::push_front(size_t host, uint32_t item) {
  hosts_[host].queue.push_front(item);
  ++waiting_;
  schedule(host);
}

std::optional<Hosts::Turn> Hosts::take(double now) {
  if (turns_.empty() || turns_.begin()->first > now) {
    return std::nullopt;
  }
  const size_t host = turns_.begin()->second;
  turns_.erase(turns_.begin());
  Host& one = hosts_[host];
  const Turn turn{host, one.queue.front()};
  one.queue.pop_front();
  one.busy = true;
  --waiting_;
  ++busy_;
  return turn;
}

void Hosts::done(size_t host, double ready) {
  hosts_[host].busy = false;
  hosts_[host].ready = ready;
  --busy_;
  schedule(host);
}

std::deque<uint32_t> Hosts::drain(size_t host) {
  Host& one = hosts_[host];
  turns_.erase({one.ready, host});
  waiting_ -= one.queue.size();
  return std::exchange(one.queue, {});
}

std::optional<double> Hosts::next_time() const {
  return turns_.empty() ? std::nullopt : std::optional(turns_.begin()->first);
}

}  // namespace slipway::collect
