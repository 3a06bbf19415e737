// The HTTP that the store's objects (S3) are reached through: net's client behind store's interface. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/client.h"
#include "store/object_store.h"

namespace slipway::cli {

class BlobTransport final : public store::HttpTransport {
 public:
  store::HttpAnswer send(const store::HttpCall& call) override;

 private:
  std::unique_ptr<net::HttpClient> take(const std::string& origin);
  void give_back(const std::string& origin, std::unique_ptr<net::HttpClient> client);

  std::mutex mutex_;  // guards idle_
  std::map<std::string, std::vector<std::unique_ptr<net::HttpClient>>> idle_;
};

}  // namespace slipway::cli
