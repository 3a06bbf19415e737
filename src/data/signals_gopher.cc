// Rae et al. 2021, table A1 and section A.1, as datatrove computes them on spaCy's English words.
#include <algorithm>
#include <array>
#include <bit>

#include "data/signals.h"

namespace slipway::data {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

double ratio(uint64_t part, uint64_t whole) noexcept { return static_cast<double>(part) / static_cast<double>(whole); }

// Up to four bytes as one number.
constexpr uint32_t packed(std::string_view word) noexcept {
  uint32_t key = 0;
  for (const char c : word) {
    key = key << 8U | static_cast<unsigned char>(c);
  }
  return key;
}

// The bit of a stop word; 0 for others.
uint32_t stop_word_bit(std::string_view word) noexcept {
  switch (packed(word)) {
    case packed("the"): return 1;
    case packed("be"): return 2;
    case packed("to"): return 4;
    case packed("of"): return 8;
    case packed("and"): return 16;
    case packed("that"): return 32;
    case packed("have"): return 64;
    case packed("with"): return 128;
    default: return 0;
  }
}

void line_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  split_lines(text, scratch.lines);
  uint64_t bullets = 0;
  uint64_t ellipses = 0;
  for (const std::string_view line : scratch.lines) {
    const std::string_view begin = strip_left(line);
    bullets += static_cast<uint64_t>(begin.starts_with('-') || begin.starts_with("\xE2\x80\xA2"));
    const std::string_view end = strip_right(line);
    ellipses += static_cast<uint64_t>(end.ends_with("...") || end.ends_with(kEllipsis));
  }
  if (!scratch.lines.empty()) {
    out[Signal::kGopherBulletLines] = ratio(bullets, scratch.lines.size());
    out[Signal::kGopherEllipsisLines] = ratio(ellipses, scratch.lines.size());
  }
}

}  // namespace

void gopher_signals(std::string_view text, std::span<const text::WebToken> tokens, SignalScratch& scratch,
                    Signals& out) {
  uint64_t words = 0;
  uint64_t chars = 0;
  uint64_t alpha = 0;
  uint32_t stop_words = 0;
  for (const text::WebToken& token : tokens) {
    if ((token.flags & text::kTokenNotSymbol) != 0) {
      ++words;
      chars += token.chars;
    }
    alpha += static_cast<uint64_t>((token.flags & text::kTokenAlpha) != 0);
    if (token.size >= 2 && token.size <= 4) {
      stop_words |= stop_word_bit(text.substr(token.begin, token.size));
    }
  }
  out[Signal::kGopherWords] = static_cast<double>(words);
  out[Signal::kGopherStopWords] = std::popcount(stop_words);
  if (words > 0) {
    out[Signal::kGopherMeanWordLength] = ratio(chars, words);
  }
  if (!tokens.empty()) {
    out[Signal::kGopherHashRatio] = ratio(count_of(text, "#"), tokens.size());
    out[Signal::kGopherEllipsisRatio] = ratio(count_of(text, "...") + count_of(text, kEllipsis), tokens.size());
    out[Signal::kGopherAlphaWords] = ratio(alpha, tokens.size());
  }
  line_signals(text, scratch, out);
}

void fill_words(std::string_view text, std::span<const text::WebToken> tokens, WordList& words) {
  words.assign(text, tokens);
}

void repetition_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  const uint64_t chars = count_chars(text);
  if (chars == 0) {
    return;
  }
  split_newline_runs(strip(text), 2, scratch.lines);
  CopyCounts duplicates = scratch.duplicates.later_copies(scratch.lines);
  out[Signal::kDupParagraphs] = ratio(duplicates.elements, scratch.lines.size());
  out[Signal::kDupParagraphChars] = ratio(duplicates.chars, chars);
  split_newline_runs(text, 1, scratch.lines);
  duplicates = scratch.duplicates.later_copies(scratch.lines);
  out[Signal::kDupLines] = ratio(duplicates.elements, scratch.lines.size());
  out[Signal::kDupLineChars] = ratio(duplicates.chars, chars);

  Ngrams& ngrams = scratch.ngrams;
  ngrams.start(scratch.words);
  for (size_t n = 2; n <= 4; ++n) {
    ngrams.advance();
    if (ngrams.total() > 0) {
      const Ngrams::Class top = ngrams.top();
      const uint64_t spaces = n - 1;  // joined by spaces
      out[signal_after(Signal::kTop2, n - 2)] = ratio((scratch.words.chars(top.first, n) + spaces) * top.count, chars);
    }
  }
  std::array<uint64_t, JoinedDuplicates::kLast - JoinedDuplicates::kFirst + 1> repeated{};
  scratch.joined.count(scratch.words, repeated);
  for (size_t i = 0; i < repeated.size(); ++i) {
    out[signal_after(Signal::kDup5, i)] = ratio(repeated[i], chars);
  }
}

}  // namespace slipway::data
