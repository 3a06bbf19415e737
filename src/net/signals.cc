#include "net/signals.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>
#include <utility>

namespace slipway::net {

struct SignalWait::Impl {
  boost::asio::io_context io;
  boost::asio::signal_set signals{io, SIGTERM, SIGINT};
  boost::asio::signal_set hangups{io};
  std::function<void()> on_hangup;
  int number = 0;

  void wait_hangup() {
    hangups.async_wait([this](const boost::system::error_code& error, int /*number*/) {
      if (!error) {
        on_hangup();
        wait_hangup();
      }
    });
  }
};

SignalWait::SignalWait() : impl_(std::make_unique<Impl>()) {
  impl_->signals.async_wait([impl = impl_.get()](const boost::system::error_code& error, int number) {
    if (!error) {
      impl->number = number;
      impl->io.stop();
    }
  });
}

SignalWait::~SignalWait() = default;

void SignalWait::on_hangup(std::function<void()> call) {
  impl_->on_hangup = std::move(call);
  impl_->hangups.add(SIGHUP);
  impl_->wait_hangup();
}

int SignalWait::wait(std::stop_token stop) {
  const auto work = boost::asio::make_work_guard(impl_->io);
  const std::stop_callback on_stop(std::move(stop), [this] { impl_->io.stop(); });
  impl_->io.run();
  return impl_->number;
}

}  // namespace slipway::net
