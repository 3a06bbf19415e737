#include "store/stored_files.h"

namespace slipway::store {

StoredFiles list_files(const Blobs& blobs) {
  StoredFiles files;
  files.bundles = blobs.bundles();
  blobs.list([&](const std::string& digest, uint64_t size) { files.whole.emplace(digest, size); },
             [&](const std::string& digest, uint64_t size) { files.recipes.emplace(digest, size); },
             [&](const std::filesystem::path& file) { files.others.push_back(file); });
  return files;
}

Kept kept_files(const Blobs& blobs, const StoredFiles& files, const Named& named, const Kept& known) {
  Kept kept;
  for (const std::string& digest : named.digests) {
    if (files.whole.contains(digest)) {
      kept.whole.insert(digest);
      continue;
    }
    if (const auto place = blobs.bundled(digest)) {
      kept.whole.insert(place->bundle);
      kept.bundles[place->bundle] += place->size;
      continue;
    }
    const auto before = known.recipes.find(digest);
    auto recipe = before != known.recipes.end() ? std::optional(before->second) : blobs.read_recipe(digest);
    if (recipe) {
      kept.whole.insert(recipe->sources.begin(), recipe->sources.end());
      kept.recipes.emplace(digest, std::move(*recipe));
    }
  }
  return kept;
}

std::optional<uint64_t> content_size(const StoredFiles& files, const Kept& kept, const std::string& digest) {
  if (const auto whole = files.whole.find(digest); whole != files.whole.end()) {
    return whole->second;
  }
  if (const auto recipe = kept.recipes.find(digest); recipe != kept.recipes.end()) {
    return recipe->second.size;
  }
  const auto place = files.bundles->find(digest);
  return place ? std::optional(place->size) : std::nullopt;
}

}  // namespace slipway::store
