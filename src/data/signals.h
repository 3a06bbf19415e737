// Quality signals of web text: what Gopher, C4, FineWeb, dolma, RedPajama-V2 and NeMo Curator measure of a page, each
// as its own published code computes it. A family is one function in one file (signals_*.cc); signals.cc has their
// names. Nothing is decided here: quality.h does that.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/ngrams.h"
#include "data/web_text.h"
#include "text/english_words.h"

namespace slipway::data {

// In the order of their output; signal_name gives the name.
enum class Signal : uint8_t {
  // datatrove's GopherQualityFilter
  kGopherWords,
  kGopherMeanWordLength,
  kGopherHashRatio,
  kGopherEllipsisRatio,
  kGopherBulletLines,
  kGopherEllipsisLines,
  kGopherAlphaWords,
  kGopherStopWords,
  // datatrove's GopherRepetitionFilter
  kDupParagraphs,
  kDupParagraphChars,
  kDupLines,
  kDupLineChars,
  kTop2,
  kTop3,
  kTop4,
  kDup5,
  kDup6,
  kDup7,
  kDup8,
  kDup9,
  kDup10,
  // datatrove's C4QualityFilter, C4ParagraphFilter, C4BadWordsFilter; the lines are 1-based, 0: none
  kC4LoremIpsumLine,
  kC4CurlyBracketLine,
  kC4Sentences,
  kC4LinesKept,
  kC4Lines,
  kC4Paragraphs,
  kC4ThirdParagraph,
  kC4BadWords,
  // datatrove's FineWebQualityFilter
  kFinewebLines,
  kFinewebLinePunct,
  kFinewebShortLines,
  kFinewebCharDup,
  kFinewebNewLines,
  // dolma's gopher_v1 and gopher_v2 (they differ in four), c4_v1 and c4_v2
  kDolmaTop2,
  kDolmaTop3,
  kDolmaTop4,
  kDolmaDup5,
  kDolmaDup6,
  kDolmaDup7,
  kDolmaDup8,
  kDolmaDup9,
  kDolmaDup10,
  kDolmaChars,
  kDolmaWords,
  kDolmaMedianWordLength,
  kDolmaSymbolRatio,
  kDolmaAlphaWords,
  kDolmaRequiredWords,
  kDolmaBulletLines,
  kDolmaEllipsisLines,
  kDolmaDupLines,
  kDolmaDupLineChars,
  kDolmaV2BulletLines,
  kDolmaV2EllipsisLines,
  kDolmaV2DupLines,
  kDolmaV2DupLineChars,
  kDolmaC4NoPunctuation,
  kDolmaC4FewWords,
  kDolmaC4Naughty,
  kDolmaC4Javascript,
  kDolmaC4JavascriptWord,
  kDolmaC4LoremIpsum,
  kDolmaC4CurlyBrace,
  kDolmaC4Lines,
  // RedPajama-V2; those of lines as their mean over the lines
  kRpsWords,
  kRpsMeanWordLength,
  kRpsSymbolRatio,
  kRpsEllipsisLines,
  kRpsNoAlphaWords,
  kRpsUniqueWords,
  kRpsEntropy,
  kRpsSentences,
  kRpsCapsWords,
  kRpsCurlyBracket,
  kRpsLoremIpsum,
  kRpsBadWords,
  kRpsStopWords,
  kRpsTop2,
  kRpsTop3,
  kRpsTop4,
  kRpsDup5,
  kRpsDup6,
  kRpsDup7,
  kRpsDup8,
  kRpsDup9,
  kRpsDup10,
  kRpsLines,
  kRpsLineTerminal,
  kRpsLineJavascript,
  kRpsLineWords,
  kRpsLineNumeric,
  kRpsLineBullet,
  kRpsLineUpper,
  // NeMo Curator's heuristic filters
  kNemoNonAlphanumeric,
  kNemoSymbols,
  kNemoNumbers,
  kNemoUrls,
  kNemoWhiteSpace,
  kNemoParentheses,
  kNemoBoilerplate,
  kNemoUniqueLines,
  kNemoUniqueParagraphs,
  kNemoUniqueLineChars,
  kNemoUniqueParagraphChars,
  kNemoWords,
  kNemoNoEndMark,
  kNemoAlphaWords,
  kNemoCommonWords,
  kNemoMeanWordLength,
  kNemoLongestWord,
  kNemoEllipsis,
  kNemoTop2,
  kNemoTop3,
  kNemoTop4,
  kNemoDup5,
  kNemoDup6,
  kNemoDup7,
  kNemoDup8,
  kNemoDup9,
  kNemoDup10,
  kNemoBullets,
  kCount
};

constexpr size_t kSignals = static_cast<size_t>(Signal::kCount);

std::string_view signal_name(Signal signal) noexcept;

// The values of one text; NaN where a signal was not computed or is not defined (a ratio over nothing).
class Signals {
 public:
  Signals() { clear(); }
  void clear() { values_.fill(std::numeric_limits<double>::quiet_NaN()); }
  double operator[](Signal signal) const noexcept { return values_[static_cast<size_t>(signal)]; }
  double& operator[](Signal signal) noexcept { return values_[static_cast<size_t>(signal)]; }
  bool has(Signal signal) const noexcept { return !std::isnan((*this)[signal]); }

 private:
  std::array<double, kSignals> values_;
};

// The signal `offset` places behind `first`.
constexpr Signal signal_after(Signal first, size_t offset) noexcept {
  return static_cast<Signal>(static_cast<size_t>(first) + offset);
}

// Words that make a page unwanted, one a line in a file of LDNOOBW's form. Immutable.
class BadWords {
 public:
  BadWords() = default;
  // `with_boundaries`: a word counts only between characters that are no \w (not for Japanese, Thai, Chinese).
  BadWords(std::span<const std::string> words, bool with_boundaries);
  bool empty() const noexcept { return words_.empty(); }
  // datatrove's search in the text in lower case.
  bool found_in(std::string_view lower_text) const noexcept;
  std::span<const std::string> words() const noexcept { return words_; }

 private:
  std::vector<std::string> words_;     // sorted
  std::array<uint32_t, 257> first_{};  // the range of each first byte
  bool with_boundaries_ = true;
};

// Memory of one thread that goes from text to text.
struct SignalScratch {
  text::EnglishWords english;
  std::vector<text::WebToken> tokens;
  std::vector<text::WebToken> line_tokens;
  WordList words;
  Ngrams ngrams;
  JoinedDuplicates joined;
  CopyFinder duplicates;
  std::vector<std::string_view> lines;
  std::vector<uint32_t> lengths;
  std::string buffer;
};

// What C4's line filter is told (datatrove's names).
struct C4Options {
  bool filter_no_terminal_punct = true;
  bool remove_citations = true;
  bool filter_javascript = true;
  bool filter_policy = true;
  int64_t min_words_per_line = 3;
  int64_t max_word_length = 1000;
};

// All read `text` and set their signals. Those with `tokens` want the text's English words.
void gopher_signals(std::string_view text, std::span<const text::WebToken> tokens, SignalScratch& scratch,
                    Signals& out);
// Uses scratch.words, which must hold the tokens (fill_words).
void repetition_signals(std::string_view text, SignalScratch& scratch, Signals& out);
void fill_words(std::string_view text, std::span<const text::WebToken> tokens, WordList& words);
// Also writes the lines that stay into `kept` and counts their English words into `kept_words`.
void c4_signals(std::string_view text, std::span<const text::WebToken> tokens, const C4Options& options,
                SignalScratch& scratch, Signals& out, std::string& kept, uint64_t& kept_words);
void c4_paragraph_signals(std::string_view text, SignalScratch& scratch, Signals& out);
void c4_bad_word_signal(std::string_view text, const BadWords& bad_words, Signals& out);
void fineweb_signals(std::string_view text, uint64_t words, int64_t short_line_length, SignalScratch& scratch,
                     Signals& out);
void dolma_signals(std::string_view text, const BadWords& bad_words, SignalScratch& scratch, Signals& out);
void redpajama_signals(std::string_view text, const BadWords& bad_words, const BadWords& stop_words,
                       SignalScratch& scratch, Signals& out);
void nemo_signals(std::string_view text, SignalScratch& scratch, Signals& out);

}  // namespace slipway::data
