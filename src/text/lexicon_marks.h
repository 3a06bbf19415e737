// What a dictionary says about each character of a text: features of the sequence labeller. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/dictionary_segmenter.h"

namespace slipway::text {

struct LexiconMark {
  uint8_t place = 0;    // in the word of DictionarySegmenter: 0 begin, 1 middle, 2 end, 3 a word of one character
  uint8_t begins = 0;   // characters of the longest dictionary word that begins here, at most 5; 0: none of two or more
  uint8_t ends = 0;     // that ends here
  uint8_t inside = 0;   // that has it inside
  uint64_t word = 0;    // a hash of the word of DictionarySegmenter
  bool operator==(const LexiconMark&) const = default;
};

// Replaces `marks` by one for each character of `text`, which is valid UTF-8.
void lexicon_marks(const DictionarySegmenter& segmenter, std::string_view text, DictionarySegmenter::Scratch& scratch,
                   std::vector<std::string_view>& words, std::vector<LexiconMark>& marks);

}  // namespace slipway::text
