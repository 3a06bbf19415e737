// Rae et al. 2021, table A1 and section A.1, as datatrove computes them on spaCy's English words.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "data/signals.h"

namespace slipway::data {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

double ratio(uint64_t part, uint64_t whole) noexcept { return static_cast<double>(part) / static_cast<double>(whole); }

// The bit of a stop word; 0 for others. Each word of four bytes or less, zeros behind it, has a place of its own.
class StopWords {
 public:
  constexpr StopWords() {
    constexpr std::string_view kWords[] = {"the", "be", "to", "of", "and", "that", "have", "with"};
    uint32_t bit = 1;
    for (const std::string_view word : kWords) {
      uint32_t bytes = 0;
      for (size_t i = 0; i < word.size(); ++i) {
        bytes |= uint32_t{static_cast<unsigned char>(word[i])} << (8 * i);
      }
      Place& place = places_[hash(bytes)];
      clash_ = clash_ || place.bit != 0;
      place = {bytes, bit};
      bit *= 2;
    }
  }
  constexpr bool clash() const noexcept { return clash_; }
  // No branch depends on the word.
  uint32_t bit_of(std::string_view text, size_t begin, uint32_t size) const noexcept {
    constexpr std::array<uint32_t, 6> kMasks = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0};  // longer ones are none
    uint32_t bytes = 0;
    if (std::endian::native == std::endian::little && begin + 4 <= text.size()) {
      std::memcpy(&bytes, text.data() + begin, 4);
      bytes &= kMasks[std::min<uint32_t>(size, 5)];
    } else if (size <= 4) {
      for (size_t i = 0; i < size; ++i) {
        bytes |= uint32_t{static_cast<unsigned char>(text[begin + i])} << (8 * i);
      }
    }
    const Place& place = places_[hash(bytes)];
    return place.bit & (0U - static_cast<uint32_t>(place.bytes == bytes));
  }

 private:
  struct Place {
    uint32_t bytes = 0;
    uint32_t bit = 0;
  };
  static constexpr uint32_t hash(uint32_t bytes) noexcept { return bytes * kFactor >> 27U; }
  static constexpr uint32_t kFactor = 0x61C8863FU;
  std::array<Place, 32> places_{};
  bool clash_ = false;
};
constexpr StopWords kStopWords;
static_assert(!kStopWords.clash());

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
    const auto word = static_cast<uint64_t>((token.flags & text::kTokenNotSymbol) != 0);
    words += word;
    chars += word * token.chars;
    alpha += static_cast<uint64_t>((token.flags & text::kTokenAlpha) != 0);
    stop_words |= kStopWords.bit_of(text, token.begin, token.size);
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
  ngrams.start_pairs(scratch.words);
  for (size_t n = 2; n <= 4; ++n) {
    if (n > 2) {
      ngrams.advance();
    }
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
