#include "cli/blob_transport.h"

#include <utility>

namespace slipway::cli {
namespace {

constexpr size_t kIdleClients = 8;
constexpr std::chrono::seconds kTimeout{300};            // for a part of 16 MiB on a slow line
constexpr size_t kMaxAnswerBytes = size_t{32} << 20;     // the store asks for 8 MiB at once

}  // namespace

std::unique_ptr<net::HttpClient> BlobTransport::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_[origin];
    if (!idle.empty()) {
      auto client = std::move(idle.back());
      idle.pop_back();
      return client;
    }
  }
  net::ClientOptions options;
  options.connect_timeout = std::chrono::seconds(10);
  options.timeout = kTimeout;
  options.max_body_bytes = kMaxAnswerBytes;
  return std::make_unique<net::HttpClient>(origin, options);
}

void BlobTransport::give_back(const std::string& origin, std::unique_ptr<net::HttpClient> client) {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[origin];
  if (idle.size() < kIdleClients) {
    idle.push_back(std::move(client));
  }
}

store::HttpAnswer BlobTransport::send(const store::HttpCall& call) {
  auto client = take(call.origin);
  net::Headers headers;
  for (const auto& [name, value] : call.headers) {
    headers.add(name, value);
  }
  net::Response response = client->request(call.method, call.target, call.body, headers);
  store::HttpAnswer answer;
  answer.status = response.status;
  for (const auto& [name, value] : response.headers) {
    answer.headers.emplace_back(name, value);
  }
  answer.body = std::move(response.body);
  give_back(call.origin, std::move(client));
  return answer;
}

}  // namespace slipway::cli
