// Blobs that only recipes need, and those only a part of: what is needed is written anew, the rest goes. Under the lock of garbage
// collection.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/database.h"
#include "store/stored_files.h"

namespace slipway::store {

struct Sparse {
  std::string digest;
  uint64_t size = 0;
  uint64_t live = 0;               // bytes that recipes need
  std::vector<std::string> users;  // the recipes
};

// Those of which less than a half is needed, and which nothing names. `all`: those of which any part is not needed.
std::vector<Sparse> sparse_blobs(const StoredFiles& files, const Named& named, const Kept& kept, bool all = false);

// The same of bundles. `merge`: small ones too, when they are many, for each is looked into at every search.
std::vector<Sparse> sparse_bundles(const StoredFiles& files, const Named& named, const Kept& kept, bool all, bool merge);

// Puts the contents that are named into bundles anew and removes these: each step durable. Throws kIntegrity when one is damaged; then all
// are still there.
void compact_bundles(const Blobs& blobs, const Named& named, std::span<const Sparse> bundles);

// Puts the needed part elsewhere, recipes that name the new place, and removes the blob: in this order, each step durable, so that
// a crash leaves only garbage. Throws kIntegrity when the blob is damaged; then nothing was changed.
void compact(const Blobs& blobs, Database& database, const Sparse& sparse);

}  // namespace slipway::store
