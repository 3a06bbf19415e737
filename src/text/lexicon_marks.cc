#include "text/lexicon_marks.h"

#include <algorithm>

#include "base/hash.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kLongest = 16;  // characters of jieba's longest word
constexpr uint8_t kMost = 5;     // lengths beyond it say no more

}  // namespace

void lexicon_marks(const DictionarySegmenter& segmenter, std::string_view text, DictionarySegmenter::Scratch& scratch,
                   std::vector<std::string_view>& words, std::vector<LexiconMark>& marks) {
  const SegmentDictionary& dictionary = segmenter.dictionary();
  marks.clear();
  segmenter.cut(text, {CutMode::kPrecise, dictionary.has_hmm()}, scratch, words);
  scratch.ids.clear();
  for (const std::string_view word : words) {
    const size_t first = marks.size();
    const uint64_t hash = base::xxh64(word);
    for (size_t at = 0; at < word.size();) {
      const Decoded d = decode_at(word, at);
      scratch.ids.push_back(dictionary.char_id(d.code));
      at += d.size;
      LexiconMark mark;
      mark.place = 1;
      mark.word = hash;
      marks.push_back(mark);
    }
    marks[first].place = 0;
    marks.back().place = marks.size() - first == 1 ? 3 : 2;
  }
  for (size_t i = 0; i < marks.size(); ++i) {
    uint32_t node = SegmentDictionary::kRoot;
    for (size_t j = i; j < marks.size() && j < i + kLongest; ++j) {
      node = dictionary.step(node, scratch.ids[j]);
      if (node == SegmentDictionary::kNone) {
        break;
      }
      if (j == i || dictionary.value(node) == 0) {
        continue;
      }
      const auto length = static_cast<uint8_t>(std::min<size_t>(j - i + 1, kMost));
      marks[i].begins = std::max(marks[i].begins, length);
      marks[j].ends = std::max(marks[j].ends, length);
      for (size_t k = i + 1; k < j; ++k) {
        marks[k].inside = std::max(marks[k].inside, length);
      }
    }
  }
}

}  // namespace slipway::text
