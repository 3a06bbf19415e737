// Packed token shards: texts as the rows of equal length that training reads, in files that are mapped. On disk:
// docs/formats/token-shards.md; pack_corpus.h makes them, token_stream.h says in which order they are read. A folder that is
// open is immutable: any thread may read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace slipway::data {

constexpr uint32_t kMaxSequenceLength = 1U << 24U;

// One row of a shard. Buffers are reused.
struct TokenSequence {
  std::vector<int32_t> ids;       // `length` of them, padding included
  std::vector<uint32_t> begins;   // where documents (or pieces of long ones) begin, ascending; none at 0: it goes on from the row before
  uint32_t used = 0;              // what follows is padding
};

// The rows of one shard before they are written: `tokens` is a multiple of `length` long.
struct TokenRows {
  std::vector<int32_t> tokens;
  std::vector<uint32_t> first;   // of each row its first number in `begins`
  std::vector<uint32_t> begins;
  std::vector<uint32_t> used;    // of each row
};

// The bytes of a shard; `width` 2 or 4 bytes a token.
std::string write_token_shard(const TokenRows& rows, uint32_t length, uint32_t width);

// A shard's file, looked through for what would lead reading astray; its bytes are borrowed.
class TokenShard {
 public:
  // Throws Error(kIntegrity) naming `source` and what does not fit. `bytes` are at an address that is a multiple of 8.
  TokenShard(std::string_view bytes, const std::string& source);
  uint64_t sequences() const noexcept { return sequences_; }
  uint32_t length() const noexcept { return length_; }
  uint32_t width() const noexcept { return width_; }
  void read(uint64_t sequence, TokenSequence& out) const;
  // Whether the bytes are those that were written. Reads all of them.
  bool whole() const noexcept;

 private:
  std::string_view bytes_;
  uint64_t sequences_ = 0;
  uint32_t length_ = 0;
  uint32_t width_ = 0;
  std::span<const uint32_t> first_;  // sequences + 1
  std::span<const uint32_t> begins_;
  std::span<const uint32_t> used_;
};

// What index.json says.
struct TokenIndex {
  uint32_t length = 0;
  uint32_t width = 0;
  int vocabulary_size = 0;
  std::string vocabulary_sha256;
  std::string mode;    // "concatenate" or "documents"
  int end = -1;        // the token behind each document; -1: the tokenizer's own frame
  int pad = 0;
  uint64_t documents = 0;
  uint64_t tokens = 0;  // without padding
  uint64_t tail_tokens = 0;  // at the end, too few for a row: in no shard
  struct Shard {
    std::string file;
    uint64_t sequences = 0;
    uint64_t tokens = 0;
    uint64_t documents = 0;
    std::string sha256;
  };
  std::vector<Shard> shards;

  uint64_t sequences() const;
  base::Json to_json() const;  // with "digest" of all the rest
};
// Throws Error(kInvalid) for what is missing or impossible, Error(kIntegrity) when the digest does not fit.
TokenIndex read_token_index(std::string_view json, const std::string& source);

// A folder of them.
class TokenFolder {
 public:
  // Maps all shards. Throws Error(kNotFound | kInvalid | kIntegrity).
  explicit TokenFolder(const std::filesystem::path& folder);
  const TokenIndex& index() const noexcept { return index_; }
  const std::string& digest() const noexcept { return digest_; }
  uint64_t sequences() const noexcept { return ends_.empty() ? 0 : ends_.back(); }
  // sequence < sequences(). O(log shards + length).
  void read(uint64_t sequence, TokenSequence& out) const;
  // Reads all bytes; throws Error(kIntegrity) naming the file that changed.
  void verify() const;

 private:
  std::filesystem::path folder_;
  TokenIndex index_;
  std::string digest_;
  std::vector<base::MappedFile> files_;
  std::vector<TokenShard> shards_;
  std::vector<uint64_t> ends_;  // rows up to and with each shard
};

}  // namespace slipway::data
