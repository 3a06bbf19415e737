// Packs a corpus for training: documents to token ids by a tokenizer, ids to rows of equal length, rows to shards
// (token_shards.h), in one pass. The bytes depend on the input, the tokenizer and the options only, not on threads or on
// where a killed run went on. On disk: docs/formats/token-shards.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/token_shards.h"
#include "text/tokenizer.h"

namespace slipway::data {

enum class PackMode {
  kConcatenate,  // documents one after the other, cut where a row is full; what is left at the end fills no row
  kDocuments,    // documents are whole, but for those longer than a row; rows are filled as well as they fit, then padded
};

struct PackOptions {
  std::vector<std::filesystem::path> inputs;  // as corpus_files
  std::filesystem::path out;
  std::string text_field = "text";
  int length = 2048;
  PackMode mode = PackMode::kConcatenate;
  int end = -1;          // id put behind each document; -1: the tokenizer's own special tokens around it
  int pad = 0;           // id, kDocuments
  uint64_t shard_bytes = uint64_t{64} << 20U;  // of tokens in a shard, about
  uint64_t max_line_bytes = uint64_t{64} << 20U;
};

struct PackSummary {
  TokenIndex index;
  std::string digest;
  uint64_t text_bytes = 0;  // of what this run tokenized
  uint64_t bad_lines = 0;
  std::map<std::string, uint64_t> bad;  // by reason
  uint64_t resumed_shards = 0;
};

// The digest of a vocabulary: SHA-256 of its tokens in the order of their ids, each followed by NUL.
std::string vocabulary_digest(const text::Tokenizer& tokenizer);

// Goes on behind the last shard that an earlier run with the same inputs and options wrote; Error(kConflict) when `out` holds
// others. Lines that are no documents go to out/quarantine. Memory: about 12 bytes a token of a shard, and 12 MiB of lines.
PackSummary pack_corpus(const PackOptions& options, const text::Tokenizer& tokenizer, base::Context& context);

}  // namespace slipway::data
