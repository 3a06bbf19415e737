// Blobs in an object store (S3), behind a folder that keeps what was put or read lately. Their keys are the folder's names:
// "ab/abcdef…". Any thread, several machines.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "store/object_store.h"

namespace slipway::store {

class RemoteBlobs {
 public:
  // `folder` may hold `cache_bytes` of blobs, save those of the last ten minutes.
  RemoteBlobs(std::shared_ptr<ObjectStore> objects, std::filesystem::path folder, uint64_t cache_bytes)
      : objects_(std::move(objects)), folder_(std::move(folder)), cache_bytes_(cache_bytes) {}

  std::optional<uint64_t> size_of(const std::string& digest) { return objects_->size_of(key_of(digest)); }
  // Kept there on return.
  void put(const std::string& digest, const std::filesystem::path& file) {
    objects_->put(key_of(digest), file, digest.substr(kPrefix));
  }
  // All of it, in pieces; throws kNotFound, kIntegrity when it is not what its name says.
  void read(const std::string& digest, const std::function<void(std::string_view)>& sink);
  void remove(const std::string& digest) { objects_->remove(key_of(digest)); }
  // Every blob's digest and size; `other` is told keys that name none.
  void list(const std::function<void(const std::string& digest, uint64_t size)>& visit);
  // The file of the folder is used now: it stays for a while. `added`: bytes that it takes since.
  void used(const std::filesystem::path& file, uint64_t added);
  const std::string& name() const noexcept { return objects_->name(); }

 private:
  static constexpr size_t kPrefix = 7;  // "sha256:"
  static std::string key_of(const std::string& digest) {
    const std::string hex = digest.substr(kPrefix);
    return hex.substr(0, 2) + "/" + hex;
  }
  void make_room();

  std::shared_ptr<ObjectStore> objects_;
  const std::filesystem::path folder_;
  const uint64_t cache_bytes_;
  std::mutex mutex_;                 // guards what follows
  std::optional<uint64_t> held_;     // bytes in the folder; unknown before the first addition
};

}  // namespace slipway::store
