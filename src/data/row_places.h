// Private to the room: rows of up to three versions as they are sorted for comparison, and read again by their places.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "data/row_diff.h"

namespace slipway::data {

// Where a row is: side (2 bits), file (22), row in it (40).
constexpr unsigned kRowBits = 40;
constexpr unsigned kSideShift = 62;
constexpr uint64_t place_of(uint64_t side, uint64_t file, uint64_t row) noexcept { return side << kSideShift | file << kRowBits | row; }
constexpr uint64_t side_of(uint64_t place) noexcept { return place >> kSideShift; }
constexpr uint64_t file_of(uint64_t place) noexcept { return place << 2U >> (kRowBits + 2U); }
constexpr uint64_t row_of(uint64_t place) noexcept { return place & ((uint64_t{1} << kRowBits) - 1); }

struct SortedRow {
  Hash128 key;
  Hash128 row;
  uint64_t place;
  bool operator<(const SortedRow& other) const noexcept { return key != other.key ? key < other.key : place < other.place; }
};

using VersionFileList = std::vector<const record::FolderFile*>;

// Calls `take` with every row of `files`, hashed on all threads, in order: file's index, index of the row in it, its hash.
using TakeHash = std::function<void(size_t file, uint64_t row, const RowHash& hash)>;
void hash_rows(const VersionFiles& version, const VersionFileList& files, const RowHasher& hasher, base::Context& context,
               const TakeHash& take);

// The files with rows without those that every one of the others has, too, of equal ones as many.
VersionFileList row_files_not_in(const std::vector<record::FolderFile>& files,
                                 const std::vector<const std::vector<record::FolderFile>*>& others);

struct PlacedRow {
  std::string at;  // "FILE:LINE"
  Json json;       // a text when the line is no JSON object
};
// The rows at `places`, which are sorted, read again.
std::unordered_map<uint64_t, PlacedRow> read_rows(const VersionFiles& version, const VersionFileList& files,
                                                  const std::vector<uint64_t>& places);

}  // namespace slipway::data
