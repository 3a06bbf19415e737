// Exact and near duplicates of a stream of documents: who is a copy of whom. Results depend only on the input's order,
// never on threads: the smallest index of a cluster is its representative.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "data/document.h"

namespace slipway::data {

// `deduplicate: {exact: true, near: {jaccard: 0.8}}`; `near: true` takes the defaults, `near: false` turns it off.
struct DeduplicateOptions {
  bool exact = true;
  bool near = true;
  double jaccard = 0.8;  // near duplicates have at least this true Jaccard similarity of shingles (see minhash.h)
  int hashes = 112;
  uint64_t seed = 1;

  void describe(base::FieldTable& fields);  // all but exact and near
};

DeduplicateOptions parse_deduplicate_options(const Json& object, const std::string& where);
Json to_json(const DeduplicateOptions& options);

// What exact duplicates have in common: NFKC, case folded, whitespace collapsed; and its XXH64.
std::string normalized_text(std::string_view text);
uint64_t exact_hash(std::string_view text);

struct Duplicates {
  static constexpr uint32_t kNone = 0xffffffffU;
  struct Match {
    uint32_t representative = kNone;  // index of the document it copies; kNone: it is its own
    float jaccard = 0;                // with its nearest verified neighbour; 1 for exact copies
    bool exact = false;
  };
  std::vector<Match> matches;  // one a document
  int64_t exact = 0;
  int64_t near = 0;
  int64_t clusters = 0;    // of at least two documents
  int64_t candidates = 0;  // pairs verified
};

// A stream that can be read again: calls its argument for each text in order.
using TextStream = std::function<void(const std::function<void(std::string_view text)>&)>;

// Reads the stream twice at most: signatures first, then the shingles of the candidates, whose true similarity is
// computed. Memory: `memory_bytes` for keys, pairs and shingles, of which the rest is sorted in the folder `scratch` (made
// when needed, emptied before and after; a temporary one when it is not given); and about 40 bytes a document. At most 2^32 - 2 documents.
Duplicates find_duplicates(const TextStream& texts, const DeduplicateOptions& options, base::Context& context,
                           const std::filesystem::path& scratch = {},
                           uint64_t memory_bytes = uint64_t{1} << 30U);

}  // namespace slipway::data
