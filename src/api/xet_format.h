// What Xet's clients upload: xorbs, blocks of compressed chunks, and shards, which say of which chunks files are made
// (docs/formats/xet.md). Untrusted bytes; throws base::Error(kInvalid). Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::api {

constexpr size_t kMaxXorbBytes = size_t{80} << 20;   // the protocol's are of 64 MiB at most, before compression
constexpr size_t kMaxShardBytes = size_t{128} << 20;
constexpr size_t kMaxXorbChunks = 1 << 16;
constexpr size_t kXetChunkHeader = 8;
constexpr size_t kMaxChunkBytes = size_t{1} << 20;  // the protocol's are of 128 KiB at most

struct XetChunk {
  uint8_t scheme = 0;         // 0 as it is, 1 LZ4, 2 byte groups of four, then LZ4
  std::string_view packed;    // borrowed from the xorb
  uint32_t size = 0;          // unpacked
};

std::vector<XetChunk> read_xorb(std::string_view bytes);
// Of a chunk that is kept as it is; `size` is at most 2^24 - 1.
std::string xet_chunk_header(size_t size);
// Appends `chunk.size` bytes.
void unpack_chunk(const XetChunk& chunk, std::string& out);

// Chunks [begin, end) of a xorb.
struct XetTerm {
  std::string xorb;  // 64 hex digits, as addresses have it
  uint32_t size = 0;  // unpacked
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct XetFile {
  std::vector<XetTerm> terms;
  std::optional<std::string> sha256;  // 64 hex digits
};

std::vector<XetFile> read_shard(std::string_view bytes);

// 64 lower-case hex digits.
bool is_xet_hash(std::string_view text) noexcept;

}  // namespace slipway::api
