// The first bytes of a file, which tell what it is.
#pragma once

#include <filesystem>
#include <string>

namespace slipway::data {

// At most so many bytes. Not by mapping: that would take addresses for all of a file of any size. Throws kNotFound, kFailure.
std::string file_head(const std::filesystem::path& path, size_t bytes);

}  // namespace slipway::data
