// Zip archives whose entries are stored, not compressed: PyTorch's files and numpy's .npz. Read in place; nothing is
// unpacked, so an archive can cost no more memory than its list of names. Internal to the room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace slipway::model {

inline constexpr uint64_t kMaxZipEntries = 524'288;  // a storage a tensor
inline constexpr size_t kMaxZipNameBytes = 4'096;

// True when the bytes begin as a zip archive does.
bool is_zip(std::string_view bytes) noexcept;

// Entry name -> its bytes, views of `bytes`. Throws Error(kIntegrity) naming `source` and the entry for a list that
// does not hold: offsets outside the file, entries that overlap each other or the list, names that are repeated or
// differ from those beside the data; kInvalid for compressed or encrypted entries. Zip64 is read.
std::map<std::string, std::string_view> read_zip(std::string_view bytes, const std::string& source);

}  // namespace slipway::model
