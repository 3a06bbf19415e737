// One connection to an endpoint of the Hugging Face Hub API. It follows redirects (the token stays with the endpoint's own
// host), and tries again what failed for a moment. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "hub/address.h"
#include "net/client.h"

namespace slipway::hub {

using base::Json;

struct ClientOptions {
  std::string endpoint;  // "https://hub.example.org", also with a path; no default: the program names no host
  std::string token;     // "" asks as nobody
  std::string ca_file;   // https: PEM file of the authorities to trust; "" the system's
  int attempts = 5;      // of each request, when there is no answer or one of 429, 500, 502, 503, 504
  std::stop_token stop;
};

// A file as the endpoint tells of it.
struct RemoteFile {
  std::string path;  // checked
  uint64_t size = 0;
  std::string oid;     // as git names it
  std::string sha256;  // of a large file; else ""
  bool operator==(const RemoteFile&) const = default;
};

class Client {
 public:
  // Throws Error(kInvalid) saying what to set when there is no endpoint, or one that is no address.
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Throws Error(kNotFound) naming the repository or revision, kNotAllowed, kUnavailable, kInvalid with the endpoint's words.
  std::string commit_of(const Address& address);
  // All files at a commit, by path. Throws also kIntegrity for a path that leads out of its folder.
  std::vector<RemoteFile> list(const Address& address, const std::string& commit);
  // A file's bytes from `offset` on. `begin` gets where they begin indeed: 0 when the endpoint sends all of it. Once only: the
  // caller tries again from what it has.
  void read(const Address& address, const std::string& commit, const RemoteFile& file, uint64_t offset,
            const std::function<void(uint64_t)>& begin, const std::function<void(std::string_view)>& take);

  void create_repo(const Address& address, bool hidden);  // one that is there is good
  // Asks below the endpoint ("/api/…"); a body that is a string goes as it is, with `type`. The answer of a 2xx.
  Json post(const std::string& path, const Json& body);
  Json post(const std::string& path, const std::string& body, const std::string& type);
  // To an address that the endpoint gave. Returns the ETag.
  std::string put_file(const std::string& url, const net::FileBody& body, const std::function<void(uint64_t)>& sent);
  Json post_to(const std::string& url, const Json& body);

  const ClientOptions& options() const noexcept { return options_; }

 private:
  using Exchange = std::function<net::Response(net::HttpClient&, const std::string& target, const net::Headers&)>;
  // To `url`, and on to where it is redirected.
  net::Response follow(std::string url, const net::Headers& headers, const Exchange& exchange);
  // The same, again while it fails in passing; the answer of a 2xx. `repeat`: also when it may have been done already.
  net::Response ask(const std::string& url, const net::Headers& headers, bool repeat, const Exchange& exchange);
  Json get(const std::string& url);
  net::HttpClient& connection(const std::string& origin);
  std::string api(const Address& address) const;

  const ClientOptions options_;
  std::string origin_;  // of the endpoint
  std::map<std::string, std::unique_ptr<net::HttpClient>> connections_;
};

// An Error for an answer that is not good, in the endpoint's words. `what`: what was asked for.
base::Error refusal(const net::Response& answer, std::string_view what);
// Whether the same request may be answered well a moment later.
bool is_passing(int status) noexcept;
// Waits before another attempt, longer each time or as the answer says (null: none came). Throws Error(kInterrupted).
void wait_before(int attempt, const net::Response* answer, const std::stop_token& stop);

}  // namespace slipway::hub
