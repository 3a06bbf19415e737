// Sizes as people write them on the command line: "512MB", "1.5 GiB", "65536". One table for all commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::cli {

// Bytes. K, M, G, T (and KB, MB, …) are powers of 1000, KiB, MiB, … of 1024; case does not matter. Throws
// Error(kInvalid) naming `flag`.
uint64_t parse_byte_size(std::string_view text, const std::string& flag);

}  // namespace slipway::cli
