// MinHash as datatrove defines it (0.10, MinhashConfig's defaults), so that clusters are equal to its own: the text
// simplified (lower case, numbers to 0, punctuation to spaces, white space to one space, no diacritics), spaCy's blank
// English words in runs of n joined by a space, XXH64 of each, and for every function the least ((a x + b) mod 2^64) mod
// (2^61 - 1), with a and b from NumPy's MT19937.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/english_words.h"

namespace slipway::data {

// datatrove's simplify_text of valid UTF-8 into `out`.
void simplify_text(std::string_view text, std::string& out);

// Hashes of the runs of n words of simplified text. Keeps its memory from text to text; one thread.
class WebShingler {
 public:
  // Replaces `out` by the hashes in order, with repeats: none when there are fewer than n words. Text under 4 GiB.
  void shingles(std::string_view text, size_t n, std::vector<uint64_t>& out);
  // The i-th run of the text last asked about.
  std::string_view run(size_t i) const noexcept;

 private:
  text::EnglishWords words_;
  std::vector<text::WebToken> tokens_;
  std::string simple_;
  std::string joined_;
  std::vector<size_t> begin_;
  size_t n_ = 0;
};

class WebMinHasher {
 public:
  // 1 <= hashes <= 4096.
  WebMinHasher(int hashes, uint32_t seed);
  // signature [hashes]: all ones when there are no shingles.
  void sign(std::span<const uint64_t> shingles, std::span<uint64_t> signature) const noexcept;

 private:
  std::vector<uint64_t> a_;
  std::vector<uint64_t> b_;
};

}  // namespace slipway::data
