// Cuts bytes into chunks at places that the bytes themselves choose, so that an insertion moves the cuts with it and all chunks
// but a few stay as they were: FastCDC (Xia et al., USENIX ATC 2016) with its gear hash and normalised chunking, level 2.
// docs/formats/store.md has the rule and the numbers. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::store {

// A chunk is found by one row of an index and told by one range of a recipe, some 50 bytes: less than 0.1 % of 64 KiB. Smaller ones would
// find more (an edit costs the chunk around it), at more rows.
constexpr size_t kMinChunk = size_t{16} << 10;     // an average quarter: as FastCDC advises
constexpr size_t kNormalChunk = size_t{64} << 10;  // where cuts become likely
constexpr size_t kMaxChunk = size_t{256} << 10;

// Where the first chunk of `bytes` ends: in (0, bytes.size()], at most kMaxChunk; 0 for no bytes. One pass: about 1.5 GB/s.
size_t first_cut(std::string_view bytes) noexcept;

struct Chunk {
  uint64_t hash = 0;  // XXH64: where to look, never a proof
  uint32_t size = 0;
};
// All of them, in order.
std::vector<Chunk> cut(std::string_view bytes);

}  // namespace slipway::store
