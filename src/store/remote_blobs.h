// Blobs in an object store (S3). Their keys are the names that they have in a folder: "ab/abcdef…", a recipe's ends with ".recipe".
// Any thread, several machines.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/object_store.h"

namespace slipway::store {

class RemoteBlobs {
 public:
  explicit RemoteBlobs(std::shared_ptr<ObjectStore> objects) : objects_(std::move(objects)) {}

  std::optional<uint64_t> size_of(const std::string& digest) { return objects_->size_of(key_of(digest)); }
  // Kept there on return.
  void put(const std::string& digest, const std::filesystem::path& file) {
    objects_->put(key_of(digest), file, digest.substr(kPrefix));
  }
  // All of it, in pieces; throws kNotFound, kIntegrity when it is not what its name says.
  void read(const std::string& digest, const std::function<void(std::string_view)>& sink);
  void remove(const std::string& digest) { objects_->remove(key_of(digest)); }
  // The same of recipes: `sha256` is of the file; nullopt: there is none; kIntegrity: more than `max_bytes`.
  void put_recipe(const std::string& digest, const std::filesystem::path& file, const std::string& sha256);
  std::optional<std::string> recipe(const std::string& digest, size_t max_bytes);
  void remove_recipe(const std::string& digest);
  // Every blob and every recipe: digest and size of the object. Other keys are left out.
  void list(const std::function<void(const std::string& digest, uint64_t size)>& visit,
            const std::function<void(const std::string& digest, uint64_t size)>& recipe);
  const std::string& name() const noexcept { return objects_->name(); }

 private:
  static constexpr size_t kPrefix = 7;  // "sha256:"
  static std::string key_of(const std::string& digest) {
    const std::string hex = digest.substr(kPrefix);
    return hex.substr(0, 2) + "/" + hex;
  }

  std::shared_ptr<ObjectStore> objects_;
};

}  // namespace slipway::store
