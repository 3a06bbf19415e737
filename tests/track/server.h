// A tracking server of this program, for tests of what speaks to one.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "api/tracking_server.h"
#include "base/clock.h"
#include "store/store.h"

namespace slipway {

// A tracking server that can go and come back at the same address.
class Server {
 public:
  explicit Server(std::filesystem::path folder) : folder_(std::move(folder)) { start(); }
  void start() {
    store_ = store::open_store(folder_);
    api::TrackingServerOptions options;
    options.http.port = port_;
    server_ = std::make_unique<api::TrackingServer>(options, *store_, context_);
    server_->start();
    url_ = server_->url();
    port_ = std::atoi(url_.substr(url_.rfind(':') + 1).c_str());
  }
  void stop() {
    server_.reset();
    store_.reset();
  }
  const std::string& url() const { return url_; }
  record::Store& store() { return *store_; }

 private:
  const std::filesystem::path folder_;
  base::SystemClock clock_;
  base::Log log_;
  base::Pool pool_{1};
  base::SilentProgress progress_;
  base::Context context_{pool_, log_, clock_, progress_, {}};
  int port_ = 0;
  std::string url_;
  std::unique_ptr<record::Store> store_;
  std::unique_ptr<api::TrackingServer> server_;
};

}  // namespace slipway
