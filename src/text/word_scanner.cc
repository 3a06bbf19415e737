#include "text/word_scanner.h"

#include <utility>

#include "text/char_kind.h"
#include "text/word_patterns.h"

namespace slipway::text {
namespace {

constexpr uint8_t kNotOther = kLetterKind | kNumberKind | kSpaceKind;

struct Char {
  uint8_t kind;
  uint8_t size;
};

// The character at p, which is valid UTF-8.
inline Char char_at(const unsigned char* p, const uint8_t* kinds) noexcept {
  const unsigned lead = p[0];
  if (lead < 0x80) {
    return {kinds[lead], 1};
  }
  if (lead < 0xE0) {
    return {kinds[((lead & 0x1F) << 6) | (p[1] & 0x3FU)], 2};
  }
  if (lead < 0xF0) {
    return {kinds[((lead & 0xF) << 12) | ((p[1] & 0x3FU) << 6) | (p[2] & 0x3FU)], 3};
  }
  const char32_t c = ((lead & 7) << 18) | ((p[1] & 0x3FU) << 12) | ((p[2] & 0x3FU) << 6) | (p[3] & 0x3FU);
  return {char_kind(c, kinds), 4};
}

inline const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// The end of the run of characters that have (kWanted) one of `mask`, or (not) none of it.
template <bool kWanted>
inline size_t run_end(const unsigned char* p, size_t at, size_t end, uint8_t mask, const uint8_t* kinds) noexcept {
  while (at < end) {
    const Char c = char_at(p + at, kinds);
    if (((c.kind & mask) != 0) != kWanted) {
      break;
    }
    at += c.size;
  }
  return at;
}

// The bytes of 's 't 're 've 'm 'll 'd after the apostrophe at `at`, 0 when there is none.
template <bool kIgnoreCase>
inline size_t clitic_size(const unsigned char* p, size_t at, size_t end) noexcept {
  if (at + 1 >= end) {
    return 0;
  }
  const auto lower = [](unsigned char c) { return kIgnoreCase && c < 0x80 ? static_cast<unsigned char>(c | 0x20) : c; };
  const unsigned char first = lower(p[at + 1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') {
    return 2;
  }
  if (at + 2 >= end) {
    return 0;
  }
  const unsigned char second = lower(p[at + 2]);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) {
    return 3;
  }
  // U+017F is a long s, and folds to s.
  return kIgnoreCase && p[at + 1] == 0xC5 && p[at + 2] == 0xBF ? 3 : 0;
}

// \s+(?!\S)|\s+ for the run [at, run): all of it at the end of the text, else all but its last character, if that
// leaves something.
inline size_t space_end(const unsigned char* p, size_t at, size_t run, size_t end) noexcept {
  if (run == end) {
    return end;
  }
  size_t last = run - 1;
  while ((p[last] & 0xC0) == 0x80) {
    --last;
  }
  return last > at ? last : run;
}

size_t gpt2_end(std::string_view text, size_t at, const uint8_t* kinds) noexcept {
  const unsigned char* p = bytes_of(text);
  const size_t end = text.size();
  if (p[at] == '\'') {
    if (const size_t size = clitic_size<false>(p, at, end); size > 0) {
      return at + size;
    }
  }
  Char c = char_at(p + at, kinds);
  size_t begin = at;
  if (p[at] == ' ' && at + 1 < end) {
    const Char after = char_at(p + at + 1, kinds);
    if ((after.kind & kSpaceKind) == 0) {
      c = after;
      begin = at + 1;
    }
  }
  const size_t next = begin + c.size;
  if ((c.kind & kLetterKind) != 0) {
    return run_end<true>(p, next, end, kLetterKind, kinds);
  }
  if ((c.kind & kNumberKind) != 0) {
    return run_end<true>(p, next, end, kNumberKind, kinds);
  }
  if ((c.kind & kSpaceKind) == 0) {
    return run_end<false>(p, next, end, kNotOther, kinds);
  }
  return space_end(p, at, run_end<true>(p, next, end, kSpaceKind, kinds), end);
}

inline bool is_line_end(unsigned char byte) noexcept { return byte == '\n' || byte == '\r'; }

template <int kDigits, bool kTailTogether>
size_t llama3_end(std::string_view text, size_t at, const uint8_t* kinds) noexcept {
  const unsigned char* p = bytes_of(text);
  const size_t end = text.size();
  if (p[at] == '\'') {
    if (const size_t size = clitic_size<true>(p, at, end); size > 0) {
      return at + size;
    }
  }
  const Char c = char_at(p + at, kinds);
  size_t next = at + c.size;
  if ((c.kind & kLetterKind) != 0) {
    return run_end<true>(p, next, end, kLetterKind, kinds);
  }
  if ((c.kind & kNumberKind) != 0) {
    for (int i = 1; i < kDigits && next < end; ++i) {
      const Char digit = char_at(p + next, kinds);
      if ((digit.kind & kNumberKind) == 0) {
        break;
      }
      next += digit.size;
    }
    return next;
  }
  const Char after = next < end ? char_at(p + next, kinds) : Char{kSpaceKind, 0};
  if (!is_line_end(p[at]) && (after.kind & kLetterKind) != 0) {
    return run_end<true>(p, next + after.size, end, kLetterKind, kinds);
  }
  const bool spaced = p[at] == ' ' && (after.kind & kNotOther) == 0;
  if (spaced || (c.kind & kSpaceKind) == 0) {
    size_t stop = run_end<false>(p, next, end, kNotOther, kinds);
    while (stop < end && is_line_end(p[stop])) {
      ++stop;
    }
    return stop;
  }
  const size_t run = run_end<true>(p, next, end, kSpaceKind, kinds);
  if (kTailTogether && run == end) {
    return end;
  }
  for (size_t i = run; i > at; --i) {
    if (is_line_end(p[i - 1])) {
      return i;
    }
  }
  return space_end(p, at, run, end);
}

size_t whole_end(std::string_view text, size_t /*at*/, const uint8_t* /*kinds*/) noexcept { return text.size(); }

constexpr std::pair<std::string_view, WordPattern> kPatterns[] = {
    {kGpt2Pattern, WordPattern::kGpt2},     {kGpt2TiktokenPattern, WordPattern::kGpt2},
    {kLlama3Pattern, WordPattern::kLlama3}, {kQwen2Pattern, WordPattern::kQwen2},
    {kCl100kPattern, WordPattern::kCl100k},
};

}  // namespace

std::optional<ScannerKind> scanner_of_pattern(std::string_view pattern, Regex::Flavor flavor) {
  for (const auto& [known, kind] : kPatterns) {
    // To Oniguruma {1,3}+ in cl100k's pattern means ({1,3})+.
    if (pattern == known && (kind != WordPattern::kCl100k || flavor == Regex::Flavor::kRust)) {
      return ScannerKind{.pattern = kind};
    }
  }
  return std::nullopt;
}

std::optional<ScannerKind> chain_scanners(const ScannerKind& first, const ScannerKind& second) {
  if (first.bytes || second.isolate_digits) {
    return std::nullopt;
  }
  ScannerKind chain = second;
  chain.isolate_digits = first.isolate_digits;
  if (first.pattern == WordPattern::kNone && !second.prefix_space) {
    return chain;
  }
  if (second.pattern == WordPattern::kWhole && !second.prefix_space) {
    chain.pattern = first.pattern;
    return chain;
  }
  return std::nullopt;
}

WordScanner::WordScanner(const ScannerKind& kind)
    : end_(whole_end), kinds_(char_kind_table()), isolate_digits_(kind.isolate_digits) {
  switch (kind.pattern) {
    case WordPattern::kGpt2: end_ = gpt2_end; break;
    case WordPattern::kLlama3: end_ = llama3_end<3, false>; break;
    case WordPattern::kQwen2: end_ = llama3_end<1, false>; break;
    case WordPattern::kCl100k: end_ = llama3_end<3, true>; break;
    default: break;
  }
}

size_t WordScanner::number_size(std::string_view text, size_t at) const noexcept {
  const Char c = char_at(bytes_of(text) + at, kinds_);
  return (c.kind & kNumberKind) != 0 ? c.size : 0;
}

size_t WordScanner::find_number(std::string_view text, size_t at) const noexcept {
  return run_end<false>(bytes_of(text), at, text.size(), kNumberKind, kinds_);
}

}  // namespace slipway::text
