#include "hub/client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>

#include "base/error.h"
#include "base/path.h"

namespace slipway::hub {
namespace {

using base::Code;
using base::Error;

constexpr int kMaxRedirects = 5;
constexpr size_t kMaxFiles = 1'000'000;  // of a repository
constexpr int kMaxPauseSeconds = 60;
constexpr size_t kMaxWords = 500;  // of an answer, shown
constexpr std::chrono::milliseconds kAnswerTimeout{120'000};  // a server that makes a file out of its parts takes long
constexpr std::chrono::milliseconds kConnectTimeout{10'000};

struct Url {
  std::string origin;  // "https://host:port"
  std::string target;  // "/path?query"
};

Url split_url(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t slash = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  if (scheme == std::string_view::npos || url.find_first_of(" \r\n\t") != std::string_view::npos) {
    throw Error(Code::kInvalid, fmt::format("'{}' is not an address of the form https://HOST", url.substr(0, kMaxWords)));
  }
  return {std::string(url.substr(0, slash)), slash == std::string_view::npos ? "/" : std::string(url.substr(slash))};
}

// Where a redirect leads from `at`.
std::string redirected(const Url& at, std::string_view location) {
  std::string url;
  if (location.starts_with("/") && !location.starts_with("//")) {
    url = at.origin + std::string(location);
  } else if (location.starts_with("https://") || (location.starts_with("http://") && at.origin.starts_with("http://"))) {
    url = location;
  } else {
    throw Error(Code::kUnavailable, fmt::format("{} leads to '{}', where this program does not follow", at.origin,
                                                location.substr(0, kMaxWords)));
  }
  return url.substr(0, url.find('#'));
}

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// "<https://…>; rel="next"": the address; "" without one.
std::string next_of(std::string_view link) {
  const size_t rel = link.find("rel=\"next\"");
  const size_t open = rel == std::string_view::npos ? rel : link.rfind('<', rel);
  const size_t close = open == std::string_view::npos ? open : link.find('>', open);
  return close == std::string_view::npos ? "" : std::string(link.substr(open + 1, close - open - 1));
}

RemoteFile file_of(const Json& entry) {
  RemoteFile file;
  file.path = base::get<std::string>(entry, "path", "a list of files");
  file.size = base::get<uint64_t>(entry, "size", "a list of files");
  file.oid = base::get<std::string>(entry, "oid", "a list of files");
  if (const auto lfs = entry.find("lfs"); lfs != entry.end() && lfs->is_object()) {
    file.sha256 = base::get<std::string>(*lfs, "oid", "a list of files");
  }
  try {
    base::check_entry_path(file.path);
  } catch (const Error& error) {
    throw Error(Code::kIntegrity, fmt::format("the repository has a file that cannot be kept: {}", error.what()));
  }
  return file;
}

std::string words_of(const net::Response& answer) {
  try {
    const Json body = base::parse_json(answer.body, "the answer");
    const auto error = body.is_object() ? body.find("error") : body.end();
    if (body.is_object() && error != body.end() && error->is_string()) {
      return error->get<std::string>().substr(0, kMaxWords);
    }
  } catch (const Error&) {
    // a page, or nothing
  }
  const std::string_view header = answer.headers.get("X-Error-Message");
  return header.empty() ? net::reason_phrase(answer.status) : std::string(header.substr(0, kMaxWords));
}

Code code_of(int status) {
  switch (status) {
    case 400:
    case 413:
    case 422: return Code::kInvalid;
    case 401:
    case 403: return Code::kNotAllowed;
    case 404:
    case 410: return Code::kNotFound;
    case 409:
    case 412: return Code::kConflict;
    default: return is_passing(status) ? Code::kUnavailable : Code::kFailure;
  }
}

}  // namespace

bool is_passing(int status) noexcept {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Error refusal(const net::Response& answer, std::string_view what) {
  const char* advice = answer.status == 401 || answer.status == 403 ? "; is HF_TOKEN a token that may?" : "";
  return {code_of(answer.status), fmt::format("{}: {} ({}){}", what, words_of(answer), answer.status, advice)};
}

void wait_before(int attempt, const net::Response* answer, const std::stop_token& stop) {
  int seconds = std::min(1 << std::min(attempt, 5), kMaxPauseSeconds);
  if (answer != nullptr) {
    const std::string_view said = answer->headers.get("Retry-After");
    int number = 0;
    if (!said.empty() && std::from_chars(said.data(), said.data() + said.size(), number).ptr == said.data() + said.size()) {
      seconds = std::clamp(number, 0, kMaxPauseSeconds);
    }
  }
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::chrono::seconds(seconds), [] { return false; });
  if (stop.stop_requested()) {
    throw Error(Code::kInterrupted, "interrupted");
  }
}

Client::Client(ClientOptions options)
    : options_([&] {
        while (options.endpoint.ends_with('/')) {
          options.endpoint.pop_back();
        }
        if (options.endpoint.empty()) {
          throw Error(Code::kInvalid,
                      "hf:// needs the address of a hub: set HF_ENDPOINT or --endpoint (https://…, or a `slipway server`)");
        }
        return std::move(options);
      }()),
      origin_(split_url(options_.endpoint).origin) {
  connection(origin_);  // refuses what is no address
}

Client::~Client() = default;

net::HttpClient& Client::connection(const std::string& origin) {
  auto& client = connections_[origin];
  if (!client) {
    client = std::make_unique<net::HttpClient>(
        origin, net::ClientOptions{.connect_timeout = kConnectTimeout, .timeout = kAnswerTimeout, .ca_file = options_.ca_file});
  }
  return *client;
}

net::Response Client::follow(std::string url, const net::Headers& headers, const Exchange& exchange) {
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    const Url at = split_url(url);
    net::Headers own = headers;
    own.add("User-Agent", "slipway");
    if (!options_.token.empty() && at.origin == origin_) {
      own.add("Authorization", "Bearer " + options_.token);
    }
    net::Response answer = exchange(connection(at.origin), at.target, own);
    if (!is_redirect(answer.status)) {
      return answer;
    }
    url = redirected(at, answer.headers.get("Location"));
  }
  throw Error(Code::kUnavailable, fmt::format("{} leads from one address to the next without end", options_.endpoint));
}

net::Response Client::ask(const std::string& url, const net::Headers& headers, bool repeat, const Exchange& exchange) {
  for (int attempt = 0;; ++attempt) {
    bool last = attempt + 1 >= options_.attempts;
    try {
      net::Response answer = follow(url, headers, exchange);
      if (answer.status / 100 == 2) {
        return answer;
      }
      // What was refused with 429 or 503 was not done.
      const bool again = is_passing(answer.status) && (repeat || answer.status == 429 || answer.status == 503);
      if (last || !again) {
        throw refusal(answer, split_url(url).target.substr(0, kMaxWords));
      }
      wait_before(attempt, &answer, options_.stop);
    } catch (const net::NoAnswer& error) {
      last = last || (!error.sent() && attempt > 0);  // an address that nobody listens at is a wrong one
      if (last || (error.sent() && !repeat)) {
        throw;
      }
      wait_before(attempt, nullptr, options_.stop);
    }
  }
}

Json Client::get(const std::string& url) {
  const net::Response answer = ask(url, {}, true, [](net::HttpClient& client, const std::string& target, const net::Headers& own) {
    return client.request("GET", target, {}, own);
  });
  return base::parse_json(answer.body, url, {size_t{256} << 20, 64});
}

std::string Client::api(const Address& address) const {
  return fmt::format("{}/api/{}s/{}", options_.endpoint, address.type, address.name);
}

std::string Client::commit_of(const Address& address) {
  const Json info = get(fmt::format("{}/revision/{}", api(address), net::percent_encode(address.revision)));
  auto commit = base::get<std::string>(info, "sha", "the answer");
  if (!is_commit(commit)) {
    throw Error(Code::kIntegrity, fmt::format("{} answers '{}' as the commit of {}", options_.endpoint, commit.substr(0, 100), address.text()));
  }
  return commit;
}

std::vector<RemoteFile> Client::list(const Address& address, const std::string& commit) {
  std::vector<RemoteFile> files;
  std::string url = fmt::format("{}/tree/{}?recursive=true", api(address), commit);
  while (!url.empty()) {
    const net::Response answer = ask(url, {}, true, [](net::HttpClient& client, const std::string& target, const net::Headers& own) {
      return client.request("GET", target, {}, own);
    });
    const Json page = base::parse_json(answer.body, url, {size_t{256} << 20, 16});
    if (!page.is_array() || files.size() > kMaxFiles) {
      throw Error(Code::kIntegrity, fmt::format("{} gives no list of files, or one without end", options_.endpoint));
    }
    for (const Json& entry : page) {
      if (base::get_or<std::string>(entry, "type", "file", "a list of files") == "file") {
        files.push_back(file_of(entry));
      }
    }
    const std::string next = next_of(answer.headers.get("Link"));
    // A mirror may pass on the address of what it mirrors: the rest is asked of the endpoint all the same.
    url = next.empty() ? "" : origin_ + split_url(next).target;
  }
  std::sort(files.begin(), files.end(), [](const RemoteFile& a, const RemoteFile& b) { return a.path < b.path; });
  return files;
}

void Client::read(const Address& address, const std::string& commit, const RemoteFile& file, uint64_t offset,
                  const std::function<void(uint64_t)>& begin, const std::function<void(std::string_view)>& take) {
  std::string path;  // each part escaped
  for (std::string_view rest = file.path; !rest.empty();) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    path += "/" + net::percent_encode(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  net::Headers headers = {{"Accept-Encoding", "identity"}};
  if (offset > 0) {
    headers.add("Range", fmt::format("bytes={}-", offset));
  }
  const std::string url =
      fmt::format("{}/{}{}/resolve/{}{}", options_.endpoint, address.type == "dataset" ? "datasets/" : "", address.name, commit, path);
  const net::Response answer = follow(url, headers, [&](net::HttpClient& client, const std::string& target, const net::Headers& own) {
    return client.fetch(
        target, own, [&](const net::Response& head) { begin(head.status == 206 ? offset : 0); }, take);
  });
  if (answer.status / 100 != 2) {
    if (is_passing(answer.status)) {
      throw net::NoAnswer(refusal(answer, file.path).what(), true);
    }
    throw refusal(answer, file.path);
  }
}

void Client::create_repo(const Address& address, bool hidden) {
  const size_t slash = address.name.find('/');
  Json body = {{"name", slash == std::string::npos ? address.name : address.name.substr(slash + 1)}, {"type", address.type}, {"private", hidden}};
  if (slash != std::string::npos) {
    body["organization"] = address.name.substr(0, slash);
  }
  try {
    post("/api/repos/create", body);
  } catch (const Error& error) {
    if (error.code() != Code::kConflict) {
      throw;
    }
  }
}

Json Client::post(const std::string& path, const std::string& body, const std::string& type) {
  const net::Response answer = ask(options_.endpoint + path, {{"Content-Type", type}}, false,
                                   [&](net::HttpClient& client, const std::string& target, const net::Headers& own) {
                                     return client.request("POST", target, body, own);
                                   });
  return answer.body.empty() ? Json() : base::parse_json(answer.body, path);
}

Json Client::post(const std::string& path, const Json& body) { return post(path, base::dump_json(body), "application/json"); }

Json Client::post_to(const std::string& url, const Json& body) {
  const std::string text = base::dump_json(body);
  const net::Response answer = ask(url, {{"Content-Type", "application/vnd.git-lfs+json"}, {"Accept", "application/vnd.git-lfs+json"}}, true,
                                   [&](net::HttpClient& client, const std::string& target, const net::Headers& own) {
                                     return client.request("POST", target, text, own);
                                   });
  return answer.body.empty() ? Json() : base::parse_json(answer.body, url);
}

std::string Client::put_file(const std::string& url, const net::FileBody& body, const std::function<void(uint64_t)>& sent) {
  const net::Response answer = ask(url, {}, true, [&](net::HttpClient& client, const std::string& target, const net::Headers& own) {
    return client.send_file("PUT", target, body, own, [&](uint64_t done) {
      if (options_.stop.stop_requested()) {
        throw Error(Code::kInterrupted, "interrupted");
      }
      if (sent) {
        sent(done);
      }
    });
  });
  return std::string(answer.headers.get("ETag"));
}

}  // namespace slipway::hub
