// Private to the room: what lies in a store's blobs, and what of it must stay: for checking, counting, export and the collection of
// garbage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/blobs.h"
#include "store/roots.h"

namespace slipway::store {

// Digest -> bytes of the file or object. A content may be both for a while: then its recipe is of no use.
struct StoredFiles {
  std::unordered_map<std::string, uint64_t> whole;
  std::unordered_map<std::string, uint64_t> recipes;
  std::shared_ptr<const BundleSet> bundles;
  std::vector<std::filesystem::path> others;  // files that are neither
};
StoredFiles list_files(const Blobs& blobs);

struct Kept {
  std::unordered_set<std::string> whole;             // named, or needed by a recipe
  std::unordered_map<std::string, Recipe> recipes;   // named, and not whole
  std::unordered_map<std::string, uint64_t> bundles;  // bytes of each that are named contents, not whole
};

// What `named` needs. `files` may be older than `named`: what was put since is asked for one by one. A recipe of `known` is not read
// again. Throws kIntegrity for a recipe that cannot be read: what it needs is not known.
Kept kept_files(const Blobs& blobs, const StoredFiles& files, const Named& named, const Kept& known = {});

// Bytes of a content; nullopt: it is not there.
std::optional<uint64_t> content_size(const StoredFiles& files, const Kept& kept, const std::string& digest);

}  // namespace slipway::store
