// Private to the room: what checking, counting and collecting garbage share.
#pragma once

#include <filesystem>
#include <memory>

#include "store/database.h"
#include "store/store.h"

namespace slipway::store {

// The database of a store that is there, of whatever version. Throws kNotFound.
std::unique_ptr<Database> open_existing(const std::filesystem::path& folder, const StoreOptions& options);

}  // namespace slipway::store
