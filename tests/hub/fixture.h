// A server with repositories, an endpoint whose answers a test makes, and short ways to ask them.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>

#include "api/fixture.h"
#include "hub/pull.h"
#include "hub/push.h"
#include "hub/snapshots.h"

namespace slipway::hub {

namespace fs = std::filesystem;

using Contents = std::map<std::string, std::string>;

inline void write_files(const fs::path& folder, const Contents& files) {
  for (const auto& [path, bytes] : files) {
    base::make_dirs((folder / path).parent_path());
    std::ofstream(folder / path, std::ios::binary) << bytes;
  }
}

inline Contents read_files(const fs::path& folder) {
  Contents files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(folder).string()] = base::read_file(entry.path());
    }
  }
  return files;
}

inline std::string many_bytes(size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24);
  }
  return bytes;
}

class HubTest : public api::ServerTest {
 protected:
  ClientOptions options(const std::string& endpoint) const {
    ClientOptions options;
    options.endpoint = endpoint;
    options.attempts = 1;
    return options;
  }
  ClientOptions options() const { return options(server_->url()); }
  Pushed push_files(const std::string& address, const Contents& files) {
    const fs::path folder = dir_.path() / "pushed";
    fs::remove_all(folder);
    write_files(folder, files);
    const Address parsed = parse_address(address);
    return push(options(), {folder, parsed, "pushed", {}, false}, progress_);
  }
  // The folder that was pulled into.
  fs::path pull_all(const std::string& address, const ClientOptions& how, const std::string& name = "pulled") {
    const Address parsed = parse_address(address);
    Client client(how);
    const std::string commit = client.commit_of(parsed);
    fs::path folder = dir_.path() / name;
    pull(how, {parsed, commit, client.list(parsed, commit), folder}, progress_);
    return folder;
  }
  Snapshots snapshots(const std::string& endpoint) {
    return {dir_.path() / "cache", options(endpoint), log_, progress_};
  }
};

// An endpoint that answers as a test wants.
class FakeHub {
 public:
  using Answer = std::function<net::Response(const net::Request&)>;
  explicit FakeHub(Answer answer) {
    const auto handle = [this, answer = std::move(answer)](const net::Request& request, const net::Responder& responder) {
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      responder.send(answer(request));
    };
    net::Router router;
    router.add("GET", "/{all...}", handle);
    server_ = std::make_unique<net::HttpServer>(net::ServerOptions(), std::move(router), log_);
    server_->start();
  }
  std::string url() const { return server_->url(); }
  std::vector<net::Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  base::Log log_;
  mutable std::mutex mutex_;  // guards seen_
  std::vector<net::Request> seen_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace slipway::hub
