#include "text/words.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"

namespace slipway::text {
namespace {

enum class Kind : uint8_t { kNone, kLetter, kDigit, kHan, kKana };

constexpr std::array<Kind, 128> ascii_kinds() {
  std::array<Kind, 128> kinds{};
  for (unsigned c = 0; c < 128; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      kinds[c] = Kind::kLetter;
    } else if (c >= '0' && c <= '9') {
      kinds[c] = Kind::kDigit;
    }
  }
  return kinds;
}
constexpr auto kAscii = ascii_kinds();

Kind kind_of(char32_t c) noexcept {
  if (c < 128) {
    return kAscii[c];
  }
  if (is_cjk_ideograph(c) || c == 0x3005 || c == 0x3007) {
    return Kind::kHan;
  }
  if (is_kana(c)) {
    return Kind::kKana;
  }
  if (is_letter(c)) {
    return Kind::kLetter;
  }
  return is_number(c) ? Kind::kDigit : Kind::kNone;
}

bool joins(char32_t c, Kind before, Kind after) noexcept {
  switch (c) {
    case U'\'':
    case U'\u2019':
    case U'-':
    case U'\u2010':
    case U'\u2011': return before == Kind::kLetter && after == Kind::kLetter;
    case U'.':
    case U',': return before == Kind::kDigit && after == Kind::kDigit;
    case U'_':
      return (before == Kind::kLetter || before == Kind::kDigit) && (after == Kind::kLetter || after == Kind::kDigit);
    default: return false;
  }
}

// Calls word(begin, end) for each word in order.
template <class Word>
void for_each_word(std::string_view text, Word&& word) {
  size_t begin = 0;
  Kind open = Kind::kNone;  // the kind of the last character of the word being read
  size_t at = 0;
  const auto close = [&](size_t end) {
    if (open != Kind::kNone) {
      word(begin, end);
      open = Kind::kNone;
    }
  };
  while (at < text.size()) {
    const Decoded d = decode_at(text, at);
    const Kind kind = kind_of(d.code);
    const size_t next = at + d.size;
    if (kind == Kind::kHan) {
      close(at);
      word(at, next);
    } else if (kind != Kind::kNone) {
      if (open == Kind::kNone || (open == Kind::kKana) != (kind == Kind::kKana)) {
        close(at);
        begin = at;
      }
      open = kind;
    } else if (open != Kind::kNone) {
      const bool mark = d.code >= 0x300 && (is_mark(d.code) || d.code == 0x200D || d.code == 0x200C);
      if (!mark) {
        const Kind after = next < text.size() ? kind_of(decode_at(text, next).code) : Kind::kNone;
        if (!joins(d.code, open, after)) {
          close(at);
        }
      }
    }
    at = next;
  }
  close(text.size());
}

bool is_closing(char32_t c) noexcept {
  switch (c) {
    case U'"':
    case U'\'':
    case U')':
    case U']':
    case U'}':
    case U'\u2019':
    case U'\u201D':
    case U'\u00BB':
    case U'\u300D':
    case U'\u300F':
    case U'\uFF09':
    case U'\u3011':
    case U'\u300B': return true;
    default: return false;
  }
}

// Ends a sentence with no space needed after it.
bool is_full_stop(char32_t c) noexcept {
  switch (c) {
    case 0x3002:  // ideographic
    case 0xFF01:
    case 0xFF1F:
    case 0xFF61:
    case 0x061F:  // Arabic question mark
    case 0x06D4:
    case 0x0964:  // danda
    case 0x0965:
    case 0x1362:  // Ethiopic
    case 0x104B:  // Myanmar
    case 0x17D4:  // Khmer
      return true;
    default: return false;
  }
}

// The word (letters and dots) that ends at `at`, without case.
bool is_abbreviation(std::string_view text, size_t begin, size_t at) {
  size_t from = at;
  while (from > begin &&
         (kAscii[static_cast<unsigned char>(text[from - 1]) & 0x7F] == Kind::kLetter || text[from - 1] == '.') &&
         static_cast<unsigned char>(text[from - 1]) < 0x80) {
    --from;
  }
  const std::string_view word = text.substr(from, at - from);
  if (word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I') {
    return true;  // an initial
  }
  constexpr std::string_view kKnown[] = {"mr",   "mrs",  "ms",   "dr",  "prof", "sr",  "jr",  "st",   "vs",  "e.g",
                                         "i.e",  "etc",  "no",   "fig", "inc",  "ltd", "co",  "corp", "gen", "sen",
                                         "rep",  "gov",  "capt", "sgt", "col",  "u.s", "u.k", "a.m",  "p.m", "approx",
                                         "dept", "est",  "mt",   "jan", "feb",  "mar", "apr", "jun",  "jul", "aug",
                                         "sep",  "sept", "oct",  "nov", "dec",  "al",  "cf",  "pp",   "vol"};
  if (word.size() > 6) {
    return false;
  }
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  // "no." ends sentences more often than it counts; only before a number is it an abbreviation.
  if (lower == "no") {
    return at + 2 < text.size() && text[at] == '.' && text[at + 2] >= '0' && text[at + 2] <= '9';
  }
  return std::find(std::begin(kKnown), std::end(kKnown), lower) != std::end(kKnown);
}

size_t skip_spaces(std::string_view text, size_t at) noexcept {
  while (at < text.size()) {
    const Decoded d = decode_at(text, at);
    if (!is_whitespace(d.code)) {
      break;
    }
    at += d.size;
  }
  return at;
}

// Whether the mark at `at` ends the sentence that started at `begin`; `end` is after the mark and what closes with it.
bool ends_sentence(std::string_view text, size_t begin, size_t at, size_t end) {
  if (end >= text.size()) {
    return true;
  }
  const Decoded after = decode_at(text, end);
  if (!is_whitespace(after.code)) {
    return is_cjk_ideograph(after.code);
  }
  if (text[at] != '.') {
    return true;
  }
  if (is_abbreviation(text, begin, at)) {
    return false;
  }
  const size_t next = skip_spaces(text, end);
  return next >= text.size() || !is_lower(decode_at(text, next).code);
}

}  // namespace

void split_words(std::string_view text, std::vector<Span>& words) {
  words.clear();
  for_each_word(text, [&words](size_t begin, size_t end) { words.push_back({begin, end}); });
}

std::vector<Span> split_words(std::string_view text) {
  std::vector<Span> words;
  split_words(text, words);
  return words;
}

size_t count_words(std::string_view text) {
  size_t count = 0;
  for_each_word(text, [&count](size_t, size_t) { ++count; });
  return count;
}

void split_sentences(std::string_view text, std::vector<Span>& sentences) {
  sentences.clear();
  size_t begin = skip_spaces(text, 0);
  size_t last = begin;  // end of the last character that is not white space
  const auto close = [&](size_t end, size_t next) {
    if (begin < end) {
      sentences.push_back({begin, end});
    }
    begin = last = skip_spaces(text, next);
  };
  size_t at = begin;
  while (at < text.size()) {
    const Decoded d = decode_at(text, at);
    const size_t next = at + d.size;
    if (is_whitespace(d.code)) {
      const size_t resume = skip_spaces(text, at);
      const std::string_view gap = text.substr(at, resume - at);
      if (std::count(gap.begin(), gap.end(), '\n') >= 2) {
        close(last, resume);
      }
      at = resume;
      continue;
    }
    last = next;
    const bool stop = is_full_stop(d.code);
    if (stop || d.code == U'.' || d.code == U'!' || d.code == U'?' || d.code == U'\u2026') {
      size_t end = next;
      while (end < text.size()) {
        const Decoded more = decode_at(text, end);
        if (!is_closing(more.code) && !is_full_stop(more.code) && more.code != U'.' && more.code != U'!' &&
            more.code != U'?' && more.code != U'\u2026') {
          break;
        }
        end += more.size;
      }
      last = end;
      if (stop || ends_sentence(text, begin, at, end)) {
        close(end, end);
        at = begin;
        continue;
      }
      at = end;
      continue;
    }
    at = next;
  }
  close(last, text.size());
}

}  // namespace slipway::text
