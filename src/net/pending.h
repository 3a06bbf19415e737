// Private to net: a gate's decision that comes later (Admission::later), from any thread, to a coroutine that waits on a
// timer of its event loop. The coroutine may go first: then complete() is a no-op.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "net/gate.h"

namespace slipway::net {

class PendingAdmission : public std::enable_shared_from_this<PendingAdmission> {
 public:
  explicit PendingAdmission(boost::asio::steady_timer& wake) : wake_(&wake) {}

  // Any thread; only the first call counts.
  void complete(Admission admission) {
    const std::lock_guard lock(mutex_);
    if (wake_ == nullptr || decision_) {
      return;
    }
    decision_ = std::move(admission);
    // The timer belongs to the loop's thread, where it lives until detach().
    boost::asio::post(wake_->get_executor(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        const std::lock_guard own(self->mutex_);
        if (self->wake_ != nullptr) {
          self->wake_->cancel();
        }
      }
    });
  }

  // The coroutine's side.
  std::optional<Admission> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(decision_, std::nullopt);
  }
  void detach() noexcept {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;                  // guards what follows
  boost::asio::steady_timer* wake_;  // null once detached
  std::optional<Admission> decision_;
};

}  // namespace slipway::net
