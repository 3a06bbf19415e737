// A place for blobs beside the folder: objects by key, whole or absent. Implemented by S3 (s3.h); the HTTP that it needs comes
// from outside, for this room knows no network. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::store {

struct StoredObject {
  std::string key;  // below the prefix
  uint64_t size = 0;
  std::string tag;       // another one when the bytes are others (ETag); may be empty
  std::string modified;  // RFC 3339; may be empty
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // The file's content under that key; kept durably on return. `sha256` is its digest in hex. Throws Error.
  virtual void put(const std::string& key, const std::filesystem::path& file, const std::string& sha256) = 0;
  // In bytes; nullopt: there is none.
  virtual std::optional<uint64_t> size_of(const std::string& key) = 0;
  // Bytes [offset, offset + size), piece by piece in order; what the store has not, throws kNotFound.
  virtual void get(const std::string& key, uint64_t offset, uint64_t size,
                   const std::function<void(std::string_view)>& sink) = 0;
  virtual void list(const std::function<void(const StoredObject& object)>& visit) = 0;
  virtual void remove(const std::string& key) = 0;  // also what is not there
  // "s3://bucket/prefix": for messages.
  virtual const std::string& name() const noexcept = 0;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpCall {
  std::string method;
  std::string origin;  // "https://HOST" or "http://HOST:PORT"
  std::string target;  // "/path?query", encoded
  HttpHeaders headers;
  std::string_view body;
};

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  // One exchange; any status is an answer. Throws Error(kUnavailable) when there is none. Any thread.
  virtual HttpAnswer send(const HttpCall& call) = 0;
};

}  // namespace slipway::store
