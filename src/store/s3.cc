#include "store/s3.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using Query = std::vector<std::pair<std::string, std::string>>;

constexpr uint64_t kGetBytes = uint64_t{8} << 20;  // of one answer, which is held in memory
constexpr uint64_t kMaxParts = 10'000;
constexpr int kMaxPages = 1'000'000;  // of a listing

bool worth_another_try(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504 || status == 408;
}

std::string header_of(const HttpAnswer& answer, std::string_view name) {
  const auto same = [&](const std::string& other) {
    return std::equal(other.begin(), other.end(), name.begin(), name.end(),
                      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  };
  const auto found =
      std::find_if(answer.headers.begin(), answer.headers.end(), [&](const auto& header) { return same(header.first); });
  return found != answer.headers.end() ? found->second : std::string();
}

uint64_t number_of(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A piece of a file in memory.
class FilePiece {
 public:
  explicit FilePiece(const fs::path& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) {
      throw Error(Code::kFailure, fmt::format("cannot open '{}': {}", path.string(), base::errno_text(errno)));
    }
  }
  ~FilePiece() { ::close(fd_); }
  FilePiece(const FilePiece&) = delete;
  FilePiece& operator=(const FilePiece&) = delete;

  std::string read(uint64_t offset, uint64_t size) const {
    std::string bytes(size, '\0');
    uint64_t have = 0;
    while (have < size) {
      const ssize_t got = ::pread(fd_, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        throw Error(Code::kFailure, fmt::format("cannot read '{}': {}", path_.string(),
                                                got < 0 ? base::errno_text(errno) : "it became shorter"));
      }
      have += static_cast<uint64_t>(got);
    }
    return bytes;
  }

 private:
  fs::path path_;
  int fd_;
};

class S3 final : public ObjectStore {
 public:
  S3(S3Options options, HttpTransport& transport, const base::Clock& clock)
      : options_(std::move(options)),
        transport_(transport),
        clock_(clock),
        name_(fmt::format("s3://{}/{}", options_.bucket, options_.prefix)) {
    const bool by_path = !options_.endpoint.empty() || options_.bucket.find('.') != std::string::npos;
    const std::string amazon = fmt::format("s3.{}.amazonaws.com", options_.region);
    origin_ = !options_.endpoint.empty() ? options_.endpoint
              : by_path                  ? "https://" + amazon
                                         : fmt::format("https://{}.{}", options_.bucket, amazon);
    for (const auto& [scheme, port] : {std::pair("https://", ":443"), std::pair("http://", ":80")}) {
      if (origin_.starts_with(scheme) && origin_.ends_with(port)) {
        origin_.resize(origin_.size() - std::string_view(port).size());  // the header Host, which is signed, has it not
      }
    }
    root_ = by_path ? "/" + uri_encoded(options_.bucket, true) : "";
    host_ = origin_.substr(origin_.find("://") + 3);
  }

  void put(const std::string& key, const fs::path& file, const std::string& sha256) override;
  std::optional<uint64_t> size_of(const std::string& key) override;
  void get(const std::string& key, uint64_t offset, uint64_t size,
           const std::function<void(std::string_view)>& sink) override;
  void list(const std::function<void(const StoredObject& object)>& visit) override;
  void remove(const std::string& key) override;
  const std::string& name() const noexcept override { return name_; }

 private:
  struct Ask {
    std::string method;
    std::string path;  // below the bucket, encoded
    Query query = {};
    HttpHeaders headers = {};
    std::string_view body = {};
    std::string sha256 = {};  // of the body; empty: taken here
  };
  std::string path_of(const std::string& key) const { return "/" + uri_encoded(options_.prefix + key, false); }
  HttpAnswer once(const Ask& ask);
  HttpAnswer ask(const Ask& ask);
  [[noreturn]] void fail(const HttpAnswer& answer, const std::string& what) const;
  HttpAnswer good(const Ask& asked, const std::string& what);
  void put_parts(const std::string& key, const FilePiece& file, uint64_t size);
  std::string put_part(const std::string& key, const std::string& upload, uint64_t number, const std::string& bytes);
  void complete(const std::string& key, const std::string& upload, const std::string& parts);

  const S3Options options_;
  HttpTransport& transport_;
  const base::Clock& clock_;
  const std::string name_;
  std::string origin_;
  std::string root_;
  std::string host_;
};

HttpAnswer S3::once(const Ask& ask) {
  const SignedCall call{ask.method, root_ + (root_.empty() || ask.path != "/" ? ask.path : ""), ask.query, ask.headers,
                        ask.sha256.empty() ? base::sha256_hex(ask.body) : ask.sha256};
  SignedCall with_host = call;
  with_host.headers.emplace_back("Host", host_);
  HttpHeaders headers = signed_headers(with_host, options_.keys, options_.region, clock_.unix_ms());
  std::erase_if(headers, [](const auto& header) { return header.first == "Host"; });  // the transport's
  const std::string query = query_string(ask.query);
  return transport_.send({ask.method, origin_, call.path + (query.empty() ? "" : "?" + query), std::move(headers), ask.body});
}

HttpAnswer S3::ask(const Ask& asked) {
  int pause_ms = options_.first_pause_ms;
  for (int left = options_.tries - 1;; --left) {
    try {
      HttpAnswer answer = once(asked);
      if (left <= 0 || !worth_another_try(answer.status)) {
        return answer;
      }
    } catch (const Error& error) {
      if (left <= 0 || error.code() != Code::kUnavailable) {
        throw;
      }
    }
    // Half of the pause is the same for all, so that many that failed together do not come back together.
    const uint64_t spread = base::xxh64(asked.path, static_cast<uint64_t>(left)) % static_cast<uint64_t>(pause_ms / 2 + 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<uint64_t>(pause_ms / 2) + spread));
    pause_ms *= 2;
  }
}

void S3::fail(const HttpAnswer& answer, const std::string& what) const {
  const std::string word = xml_text(answer.body, "Code");
  const std::string message = xml_text(answer.body, "Message").substr(0, 300);
  Code code = Code::kFailure;
  std::string advice;
  if (answer.status == 403 || answer.status == 401) {
    code = Code::kNotAllowed;
    advice = word == "RequestTimeTooSkewed"
                 ? "; this machine's clock is wrong"
                 : "; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do with the bucket";
  } else if (answer.status == 404) {
    code = Code::kNotFound;
    advice = word == "NoSuchBucket" ? "; make the bucket first" : "";
  } else if (answer.status == 301 || answer.status == 307) {
    code = Code::kInvalid;
    advice = "; the bucket lies in another region: set AWS_REGION";
  } else if (worth_another_try(answer.status)) {
    code = Code::kUnavailable;
    advice = "; try again later";
  }
  throw Error(code, fmt::format("cannot {} in {}: status {}{}{}{}{}", what, name_, answer.status, word.empty() ? "" : ", ", word,
                                message.empty() ? "" : ": " + message, advice));
}

HttpAnswer S3::good(const Ask& asked, const std::string& what) {
  HttpAnswer answer = ask(asked);
  if (answer.status < 200 || answer.status > 299) {
    fail(answer, what);
  }
  return answer;
}

void S3::put(const std::string& key, const fs::path& path, const std::string& sha256) {
  const FilePiece file(path);
  const uint64_t size = fs::file_size(path);
  if (size > options_.part_bytes) {
    put_parts(key, file, size);
    return;
  }
  const std::string bytes = file.read(0, size);
  good({"PUT", path_of(key), {}, {}, bytes, sha256}, "keep " + key);
}

std::string S3::put_part(const std::string& key, const std::string& upload, uint64_t number, const std::string& bytes) {
  const HttpAnswer answer = good({"PUT", path_of(key), {{"partNumber", std::to_string(number)}, {"uploadId", upload}}, {}, bytes},
                                 "keep a part of " + key);
  const std::string etag = header_of(answer, "etag");
  if (etag.empty() || etag.find_first_of("<&") != std::string::npos) {
    throw Error(Code::kFailure, fmt::format("{} answered a part of {} without its ETag", name_, key));
  }
  return fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, etag);
}

void S3::complete(const std::string& key, const std::string& upload, const std::string& parts) {
  const std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + parts +
                           "</CompleteMultipartUpload>";
  const HttpAnswer answer =
      good({"POST", path_of(key), {{"uploadId", upload}}, {{"Content-Type", "application/xml"}}, body}, "keep " + key);
  if (xml_elements(answer.body, "CompleteMultipartUploadResult").empty()) {
    fail(answer, "keep " + key);  // S3 begins its answer with 200 before it knows
  }
}

void S3::put_parts(const std::string& key, const FilePiece& file, uint64_t size) {
  const HttpAnswer begun = good({"POST", path_of(key), {{"uploads", ""}}}, "keep " + key);
  const std::string upload = xml_text(begun.body, "UploadId");
  if (upload.empty()) {
    throw Error(Code::kFailure, fmt::format("{} began no upload of {}", name_, key));
  }
  try {
    const uint64_t part = std::max(options_.part_bytes, size / (kMaxParts - 1) + 1);
    std::string parts;
    for (uint64_t at = 0, number = 1; at < size; at += part, ++number) {
      parts += put_part(key, upload, number, file.read(at, std::min(part, size - at)));
    }
    complete(key, upload, parts);
  } catch (...) {
    try {
      once({"DELETE", path_of(key), {{"uploadId", upload}}});
    } catch (const std::exception&) {
      // What is left costs space until the bucket's rule for unfinished uploads removes it.
    }
    throw;
  }
}

std::optional<uint64_t> S3::size_of(const std::string& key) {
  const HttpAnswer answer = ask({"HEAD", path_of(key)});
  if (answer.status == 404) {
    return std::nullopt;
  }
  if (answer.status != 200) {
    fail(answer, "look for " + key);
  }
  return number_of(header_of(answer, "content-length"));
}

void S3::get(const std::string& key, uint64_t offset, uint64_t size,
             const std::function<void(std::string_view)>& sink) {
  for (uint64_t at = offset; at < offset + size;) {
    const uint64_t last = std::min(at + kGetBytes, offset + size) - 1;
    const HttpAnswer answer =
        good({"GET", path_of(key), {}, {{"Range", fmt::format("bytes={}-{}", at, last)}}}, "read " + key);
    const bool part = answer.status == 206;
    // A server that knows no ranges sends all of it.
    if (!part && answer.body.size() < last + 1) {
      throw Error(Code::kIntegrity, fmt::format("{} in {} is shorter than it was", key, name_));
    }
    const std::string_view wanted = part ? std::string_view(answer.body) : std::string_view(answer.body).substr(at, last + 1 - at);
    if (wanted.size() != last + 1 - at) {
      throw Error(Code::kIntegrity, fmt::format("{} in {} is shorter than it was", key, name_));
    }
    sink(wanted);
    at = last + 1;
  }
}

void S3::list(const std::function<void(const StoredObject& object)>& visit) {
  std::string token;
  for (int page = 0; page < kMaxPages; ++page) {
    Query query = {{"list-type", "2"}, {"prefix", options_.prefix}};
    if (!token.empty()) {
      query.emplace_back("continuation-token", token);
    }
    const HttpAnswer answer = good({"GET", "/", std::move(query)}, "list what is");
    for (const std::string_view entry : xml_elements(answer.body, "Contents")) {
      const std::string key = xml_text(entry, "Key");
      if (key.starts_with(options_.prefix)) {
        visit({key.substr(options_.prefix.size()), number_of(xml_text(entry, "Size")), xml_text(entry, "ETag"), xml_text(entry, "LastModified")});
      }
    }
    token = xml_text(answer.body, "NextContinuationToken");
    if (token.empty() || xml_text(answer.body, "IsTruncated") != "true") {
      return;
    }
  }
}

void S3::remove(const std::string& key) {
  const HttpAnswer answer = ask({"DELETE", path_of(key)});
  if (answer.status != 404 && (answer.status < 200 || answer.status > 299)) {
    fail(answer, "remove " + key);
  }
}

bool is_bucket(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

}  // namespace

bool is_s3_url(std::string_view text) noexcept { return text.starts_with("s3://"); }

S3Options s3_options(std::string_view url, std::string_view endpoint,
                     const std::function<std::string(const char*)>& variable) {
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (std::string value = variable(name); !value.empty()) {
        return value;
      }
    }
    return std::string();
  };
  const std::string_view rest = is_s3_url(url) ? url.substr(5) : std::string_view();
  const size_t slash = std::min(rest.find('/'), rest.size());
  S3Options options;
  options.bucket = rest.substr(0, slash);
  options.prefix = slash < rest.size() ? rest.substr(slash + 1) : "";
  if (!is_bucket(options.bucket)) {
    throw Error(Code::kInvalid, fmt::format("'{}' is no place for blobs; it looks like s3://BUCKET/PREFIX", url.substr(0, 300)));
  }
  if (!options.prefix.empty() && !options.prefix.ends_with('/')) {
    options.prefix += '/';
  }
  options.endpoint = endpoint.empty() ? first_of({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) : std::string(endpoint);
  while (options.endpoint.ends_with('/')) {
    options.endpoint.pop_back();
  }
  if (!options.endpoint.empty() && !options.endpoint.starts_with("http://") && !options.endpoint.starts_with("https://")) {
    throw Error(Code::kInvalid, fmt::format("the endpoint '{}' is not http(s)://HOST[:PORT]", options.endpoint.substr(0, 300)));
  }
  if (const std::string region = first_of({"AWS_REGION", "AWS_DEFAULT_REGION"}); !region.empty()) {
    options.region = region;
  }
  options.keys = {first_of({"AWS_ACCESS_KEY_ID"}), first_of({"AWS_SECRET_ACCESS_KEY"}), first_of({"AWS_SESSION_TOKEN"})};
  if (options.keys.access_key.empty() || options.keys.secret_key.empty()) {
    throw Error(Code::kInvalid, fmt::format("'{}' needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment", url));
  }
  return options;
}

std::unique_ptr<ObjectStore> open_s3(S3Options options, HttpTransport& transport, const base::Clock& clock) {
  return std::make_unique<S3>(std::move(options), transport, clock);
}

}  // namespace slipway::store
