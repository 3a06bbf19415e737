#include "store/remote_blobs.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kRecipe = ".recipe";

}  // namespace

void RemoteBlobs::read(const std::string& digest, const std::function<void(std::string_view)>& sink) {
  const auto size = size_of(digest);
  if (!size) {
    throw Error(Code::kNotFound, fmt::format("the blob {} is missing from {}", digest, name()));
  }
  base::Sha256 sha;
  objects_->get(key_of(digest), 0, *size, [&](std::string_view piece) {
    sha.update(piece);
    sink(piece);
  });
  if (const std::string hex = sha.hex(); hex != digest.substr(kPrefix)) {
    throw Error(Code::kIntegrity, fmt::format("the blob {} in {} is damaged: its content has the digest sha256:{}; restore it "
                                              "from a copy, or remove it and run the step that made it again",
                                              digest, name(), hex));
  }
}

void RemoteBlobs::put_recipe(const std::string& digest, const std::filesystem::path& file, const std::string& sha256) {
  objects_->put(key_of(digest).append(kRecipe), file, sha256);
}

std::optional<std::string> RemoteBlobs::recipe(const std::string& digest, size_t max_bytes) {
  const std::string key = key_of(digest).append(kRecipe);
  const auto size = objects_->size_of(key);
  if (!size) {
    return std::nullopt;
  }
  if (*size > max_bytes) {
    throw Error(Code::kIntegrity, fmt::format("the object {} of {} has {} bytes: no recipe is so large", key, name(), *size));
  }
  std::string bytes;
  objects_->get(key, 0, *size, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

void RemoteBlobs::remove_recipe(const std::string& digest) { objects_->remove(key_of(digest).append(kRecipe)); }

void RemoteBlobs::list(const std::function<void(const std::string& digest, uint64_t size)>& visit,
                       const std::function<void(const std::string& digest, uint64_t size)>& recipe) {
  objects_->list([&](const StoredObject& object) {
    const std::string& key = object.key;
    const uint64_t size = object.size;
    const bool is_recipe = key.ends_with(kRecipe);
    const std::string name = is_recipe ? key.substr(0, key.size() - kRecipe.size()) : key;
    const std::string digest = "sha256:" + name.substr(std::min(name.size(), size_t{3}));
    if (base::is_digest(digest) && name == key_of(digest)) {  // other keys are not ours
      is_recipe ? recipe(digest, size) : visit(digest, size);
    }
  });
}

}  // namespace slipway::store
