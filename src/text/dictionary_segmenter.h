// Chinese word segmentation with a dictionary: the most probable path through all dictionary words, and a hidden Markov model
// for runs of characters that it leaves single. The words are those of jieba 0.42.1 (Sun Junyi), in each of its modes and
// to the last tie. Immutable once user words are in: any thread, with a scratch of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/segment_dictionary.h"

namespace slipway::text {

enum class CutMode {
  kPrecise,  // jieba.cut: each character in one word
  kFull,     // jieba.cut(cut_all=True): every dictionary word, overlapping; without the empty words that jieba adds
  kSearch,   // jieba.cut_for_search: long words after the words of two and three characters in them
};

struct CutOptions {
  CutMode mode = CutMode::kPrecise;
  bool hmm = true;  // find words that the dictionary lacks; kFull never does
};

class DictionarySegmenter {
 public:
  explicit DictionarySegmenter(std::shared_ptr<const SegmentDictionary> dictionary);

  // Working memory, kept between calls; about 20 bytes a character of the longest text.
  struct Scratch {
    std::vector<uint16_t> codes;
    std::vector<uint16_t> ids;
    std::vector<uint32_t> offsets;  // bytes; one more than characters
    std::vector<double> route;
    std::vector<uint32_t> next;
    std::vector<uint8_t> back;
    std::vector<uint32_t> first;   // of each character the node after it, and after one more
    std::vector<uint32_t> second;
    std::deque<std::string> joined;  // words of kFull that are not one piece of the text
  };

  // Replaces `words` by the words of `text`, white space and punctuation among them. They are views of the text (or, in rare
  // cases of kFull, of the scratch). An invalid byte sequence is a word of its own. Linear but for the longest dictionary word.
  // Throws Error(kInvalid) for texts of 4 GiB or more, and when `hmm` is asked of a dictionary that has no model.
  void cut(std::string_view text, const CutOptions& options, Scratch& scratch, std::vector<std::string_view>& words) const;

  const SegmentDictionary& dictionary() const noexcept { return *dictionary_; }

  // Adds words, "WORD [FREQUENCY] [TAG]" a line, as jieba.load_userdict does: without a frequency a word gets the one that makes
  // it a word; 0 splits it always. Before any other thread uses the object. Throws Error(kInvalid) naming `source` and line.
  void add_user_words(std::string_view lines, std::string_view source);

 private:
  class Cutter;
  struct UserNode {
    bool word = false;
    uint64_t frequency = 0;
    double log_frequency = 0;
  };
  struct Walk;

  void settle();
  void add_user_word(std::u32string_view word, std::string_view bytes, const uint64_t* frequency);
  uint64_t suggest(std::u32string_view word, std::string_view bytes) const;
  // Of exactly this word; `fallback` when it is neither word nor prefix.
  uint64_t frequency(std::u32string_view word, uint64_t fallback) const;
  uint32_t user_step(uint32_t node, char32_t c) const;

  std::shared_ptr<const SegmentDictionary> dictionary_;
  std::vector<double> logs_;     // by value of a node: 0 stands for words of no frequency
  std::vector<double> weights_;  // logs_ - log(total)
  uint64_t total_;
  double log_total_ = 0;
  std::unordered_map<uint64_t, uint32_t> user_edges_;  // node << 32 | character
  std::vector<UserNode> user_nodes_;                   // 0 is the root
  std::unordered_set<std::string> split_;
};

}  // namespace slipway::text
