#include "text/hf_unicode.h"

#include <utf8proc.h>

#include "text/unicode.h"

namespace slipway::text {
namespace {

// Lower cases newer than Unicode 14.
char32_t new_lower(char32_t c) noexcept {
  if (c >= 0x10D50 && c <= 0x10D65) {
    return c + 32;
  }
  if (c >= 0x16EA0 && c <= 0x16EB8) {
    return c + 27;
  }
  switch (c) {
    case 0x1C89:
    case 0xA7CC:
    case 0xA7CE:
    case 0xA7D2:
    case 0xA7D4:
    case 0xA7DA: return c + 1;
    case 0xA7CB: return 0x264;
    case 0xA7DC: return 0x19B;
    default: return c;
  }
}

// What utf8proc's tables say: changes under decomposition or lower case, takes part in canonical order, is an
// ideograph.
uint8_t base_flags(char32_t c) noexcept {
  const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  const bool canonical = property->decomp_seqindex != UINT16_MAX && property->decomp_type == 0;
  const bool hangul = c >= 0xAC00 && c <= 0xD7A3;
  const bool changes =
      canonical || hangul || property->lowercase_seqindex != UINT16_MAX || (c >= 0x1C89 && new_lower(c) != c);
  const int flags = (changes ? kChangesFlag : 0) | (property->combining_class != 0 ? kReorderFlag : 0) |
                    (is_cjk_ideograph(c) ? kIdeographChar : kWordChar);
  return static_cast<uint8_t>(flags);
}

uint8_t with_kind(uint8_t value, CharClass kind) noexcept { return static_cast<uint8_t>((value & ~kClassMask) | kind); }

uint8_t as_nonspacing(uint8_t value) noexcept {
  return static_cast<uint8_t>((value & ~kReorderFlag) | kNonspacingFlag);
}

// Above kFastCodePoints there is no white space.
uint8_t compute_class(char32_t c) noexcept {
  uint8_t result = base_flags(c);
  if (in_ranges(hf_nonspacing_ranges(), c)) {
    result = as_nonspacing(result);
  }
  if (in_ranges(hf_punctuation_ranges(), c)) {
    result = with_kind(result, kPunctuationChar);
  }
  return in_ranges(hf_other_ranges(), c) ? with_kind(result, kOtherChar) : result;
}

struct ClassTable {
  std::vector<uint8_t> classes;

  template <class Change>
  void paint(std::span<const CodeRange> ranges, const Change& change) {
    for (const CodeRange& range : ranges) {
      for (char32_t c = range.first; c <= range.last && c < kFastCodePoints; ++c) {
        classes[c] = change(classes[c]);
      }
    }
  }

  ClassTable() : classes(kFastCodePoints) {
    for (char32_t c = 0; c < kFastCodePoints; ++c) {
      classes[c] = base_flags(c);
    }
    paint(hf_nonspacing_ranges(), as_nonspacing);
    paint(hf_punctuation_ranges(), [](uint8_t v) { return with_kind(v, kPunctuationChar); });
    for (char32_t c = 0; c <= 0x3000; ++c) {
      if (hf_is_space(c)) {
        classes[c] = with_kind(classes[c], kSpaceChar);
      }
    }
    // Last: vertical tab, form feed and U+0085 are white space, but clean_text removes them as control characters.
    paint(hf_other_ranges(), [](uint8_t v) { return with_kind(v, kOtherChar); });
  }
};

}  // namespace

bool in_ranges(std::span<const CodeRange> ranges, char32_t c) noexcept {
  size_t low = 0;
  size_t high = ranges.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ranges[middle].last < c) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < ranges.size() && ranges[low].first <= c;
}

bool hf_is_space(char32_t c) noexcept {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool hf_is_word(char32_t c) noexcept {
  return is_letter(c) || is_mark(c) || is_digit(c) || is_letter_number(c) || is_connector(c) || c == 0x200C ||
         c == 0x200D || in_ranges(hf_new_word_ranges(), c);
}

bool hf_is_number(char32_t c) noexcept { return is_number(c) || in_ranges(hf_new_number_ranges(), c); }

void hf_lowercase(char32_t c, std::u32string& out) {
  if (c == 0x130) {
    out += U'i';
    out += U'\u0307';
    return;
  }
  const auto lower = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  out += lower != c ? lower : new_lower(c);
}

const uint8_t* char_class_table() noexcept {
  static const ClassTable table;
  return table.classes.data();
}

uint8_t char_class(char32_t c) noexcept { return c < kFastCodePoints ? char_class_table()[c] : compute_class(c); }

}  // namespace slipway::text
