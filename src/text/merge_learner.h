// Byte-pair encoding's training loop (Sennrich et al. 2016), which the trainers of BPE and of WordPiece share: the most
// frequent pair of neighbours becomes a token, of equals the one of the smaller ids. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"

namespace slipway::text {

struct WordIds {
  std::vector<int32_t> ids;
  int64_t count;
};

struct MergeOptions {
  int vocab_size = 0;         // tokens to end with
  int64_t min_frequency = 0;  // pairs seen less often are not merged
  std::string prefix;         // of tokens within a word; a merged token has none of its right part
};

struct LearntMerges {
  std::vector<std::string> tokens;                  // by id
  std::vector<std::pair<int32_t, int32_t>> merges;  // ids, best first
};

// `tokens`: those there are to begin with, each once; the ids of `words` are theirs. Memory: the words, and the places
// of each pair in them.
LearntMerges learn_merges(const MergeOptions& options, std::vector<WordIds> words, std::vector<std::string> tokens,
                          base::Progress& progress);

}  // namespace slipway::text
