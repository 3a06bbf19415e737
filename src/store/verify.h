// Private to the room: what checking and collecting garbage share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/blobs.h"
#include "store/database.h"
#include "store/store.h"

namespace slipway::store {

// The database of a store that is there, of whatever version. Throws kNotFound.
std::unique_ptr<Database> open_existing(const std::filesystem::path& folder, const StoreOptions& options);

// Every file under blobs/: digest -> size; what is not named like a blob goes to `others`.
std::unordered_map<std::string, uint64_t> list_blobs(const Blobs& blobs, std::vector<std::filesystem::path>& others);

}  // namespace slipway::store
