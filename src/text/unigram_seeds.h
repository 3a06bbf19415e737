// The pieces that Unigram training begins with: every character of the words, and the substrings that two different
// characters follow somewhere (the inner nodes of the words' suffix tree), as SentencePiece and Hugging Face's trainer
// take them from a suffix array. Pure. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/word_counts.h"

namespace slipway::text {

struct Seed {
  std::string piece;
  double weight;  // of a character its occurrences; of a substring its places in distinct words times its length
};

// Characters first, both by weight, heaviest first, equals by code points, highest first. `max_length` in characters,
// at most `max_seeds` where there are fewer characters. 20 bytes of memory a character of the words.
std::vector<Seed> unigram_seeds(const std::vector<CountedWord>& words, int max_length, int64_t max_seeds);

}  // namespace slipway::text
