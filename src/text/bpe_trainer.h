// Learns the merges of a byte-level BPE tokenizer from texts (Sennrich et al. 2016; Radford et al. 2019): the most
// frequent pair of neighbours first, of equals the one of the smaller ids. Merges and ids equal those of Hugging Face's
// BpeTrainer on the same texts. Memory: the distinct words. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/merge_learner.h"
#include "text/word_counts.h"
#include "text/word_scanner.h"

namespace slipway::text {

struct BpeTrainerOptions {
  int vocab_size = 30'000;                  // special tokens and the 256 bytes included
  int64_t min_frequency = 0;                // pairs seen less often are not merged
  std::vector<std::string> special_tokens;  // get the first ids
  int64_t max_words = kMaxTrainingWords;    // distinct ones; see word_counts.h
};

using TrainedBpe = LearntMerges;  // bytes as characters (byte_level.h)

class BpeTrainer {
 public:
  // Throws Error(kInvalid) when vocab_size has no room for special tokens and bytes.
  explicit BpeTrainer(const BpeTrainerOptions& options);
  // Counts the words of a text (GPT-2's pattern); invalid UTF-8 becomes U+FFFD.
  void add(std::string_view text);
  TrainedBpe train(base::Progress& progress) const;
  const WordCounts& words() const noexcept { return counts_; }

 private:
  BpeTrainerOptions options_;
  WordScanner scanner_;
  WordCounts counts_;
};

// A tokenizer.json of it, as Hugging Face lays it out.
std::string trained_tokenizer_json(const TrainedBpe& trained, const BpeTrainerOptions& options);

}  // namespace slipway::text
