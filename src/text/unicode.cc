#include "text/unicode.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utf8proc.h>

#include "base/error.h"

namespace slipway::text {
namespace {

int category(char32_t c) noexcept {
  return c > 0x10FFFF ? UTF8PROC_CATEGORY_CN : utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

// The length of the leading run of ASCII bytes, eight at a time.
size_t ascii_run(std::string_view text, size_t at) noexcept {
  const size_t begin = at;
  while (at + 8 <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080ULL) != 0) {
      break;
    }
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
    ++at;
  }
  return at - begin;
}

std::string map_utf8(std::string_view text, int options) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &mapped, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) {
    throw base::Error(base::Code::kFailure, std::string("Unicode normalisation failed: ") + utf8proc_errmsg(size));
  }
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)};
}

}  // namespace

Decoded decode_at(std::string_view text, size_t at) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data()) + at;
  const size_t left = text.size() - at;
  const unsigned lead = p[0];
  if (lead < 0x80) {
    return {lead, 1};
  }
  int more = 0;
  unsigned low = 0x80;  // the range of the second byte excludes overlong forms, surrogates and values above U+10FFFF
  unsigned high = 0xBF;
  char32_t code = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
    code = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2;
    code = lead & 0x0F;
    low = lead == 0xE0 ? 0xA0 : 0x80;
    high = lead == 0xED ? 0x9F : 0xBF;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    code = lead & 0x07;
    low = lead == 0xF0 ? 0x90 : 0x80;
    high = lead == 0xF4 ? 0x8F : 0xBF;
  } else {
    return {kReplacement, 1};
  }
  for (int i = 1; i <= more; ++i) {
    if (static_cast<size_t>(i) >= left || p[i] < low || p[i] > high) {
      return {kReplacement, static_cast<uint32_t>(i)};
    }
    code = (code << 6) | (p[i] & 0x3F);
    low = 0x80;
    high = 0xBF;
  }
  return {code, static_cast<uint32_t>(more) + 1};
}

void append_utf8(char32_t code, std::string& out) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    code = kReplacement;
  }
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool is_valid_utf8(std::string_view text) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto continues = [&](size_t at) { return (p[at] & 0xC0U) == 0x80; };
  size_t at = 0;
  while ((at += ascii_run(text, at)) < text.size()) {
    // Most characters beyond ASCII are two or three bytes whose ranges need no look at the second byte.
    const unsigned char lead = p[at];
    if (lead >= 0xE1 && lead <= 0xEF && lead != 0xED && at + 3 <= text.size() && continues(at + 1) && continues(at + 2)) {
      at += 3;
      continue;
    }
    if (lead >= 0xC2 && lead <= 0xDF && at + 2 <= text.size() && continues(at + 1)) {
      at += 2;
      continue;
    }
    const Decoded d = decode_at(text, at);
    // A true U+FFFD is three bytes EF BF BD; anything else decoded to it was invalid.
    if (d.code == kReplacement && (d.size != 3 || text.compare(at, 3, "\xEF\xBF\xBD") != 0)) {
      return false;
    }
    at += d.size;
  }
  return true;
}

std::string sanitize_utf8(std::string_view text) {
  if (is_valid_utf8(text)) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t at = 0; at < text.size();) {
    const size_t run = ascii_run(text, at);
    out.append(text, at, run);
    at += run;
    if (at < text.size()) {
      const Decoded d = decode_at(text, at);
      append_utf8(d.code, out);
      at += d.size;
    }
  }
  return out;
}

size_t count_code_points(std::string_view text) noexcept {
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t run = ascii_run(text, at);
    count += run;
    at += run;
    if (at < text.size()) {
      at += decode_at(text, at).size;
      ++count;
    }
  }
  return count;
}

std::string_view prefix_code_points(std::string_view text, size_t max_code_points) noexcept {
  size_t at = 0;
  for (size_t count = 0; count < max_code_points && at < text.size(); ++count) {
    at += decode_at(text, at).size;
  }
  return text.substr(0, at);
}

std::string normalize(std::string_view text, NormalForm form) {
  if (ascii_run(text, 0) == text.size()) {
    return std::string(text);
  }
  int options = UTF8PROC_STABLE;
  switch (form) {
    case NormalForm::kNfc: options |= UTF8PROC_COMPOSE; break;
    case NormalForm::kNfd: options |= UTF8PROC_DECOMPOSE; break;
    case NormalForm::kNfkc: options |= UTF8PROC_COMPOSE | UTF8PROC_COMPAT; break;
    case NormalForm::kNfkd: options |= UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT; break;
  }
  return is_valid_utf8(text) ? map_utf8(text, options) : map_utf8(sanitize_utf8(text), options);
}

std::string lowercase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      ++at;
      continue;
    }
    const Decoded d = decode_at(text, at);
    if (d.code == 0x130) {
      out += "i\xCC\x87";
    } else {
      append_utf8(to_lower(d.code), out);
    }
    at += d.size;
  }
  return out;
}

std::string casefold(std::string_view text) {
  if (ascii_run(text, 0) == text.size()) {
    return lowercase(text);
  }
  constexpr int kOptions = UTF8PROC_STABLE | UTF8PROC_CASEFOLD;
  return is_valid_utf8(text) ? map_utf8(text, kOptions) : map_utf8(sanitize_utf8(text), kOptions);
}

bool is_letter(char32_t c) noexcept {
  const int k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}
bool is_mark(char32_t c) noexcept {
  const int k = category(c);
  return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
}
bool is_nonspacing_mark(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_MN; }
bool is_digit(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_ND; }
bool is_number(char32_t c) noexcept {
  const int k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}
bool is_letter_number(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_NL; }
bool is_connector(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_PC; }
bool is_punctuation(char32_t c) noexcept {
  const int k = category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}
bool is_symbol(char32_t c) noexcept {
  const int k = category(c);
  return k >= UTF8PROC_CATEGORY_SM && k <= UTF8PROC_CATEGORY_SO;
}
bool is_control(char32_t c) noexcept {
  if (c > 0x10FFFF) {
    return false;
  }
  const int k = category(c);
  return k == UTF8PROC_CATEGORY_CN || (k >= UTF8PROC_CATEGORY_CC && k <= UTF8PROC_CATEGORY_CO);
}
bool is_whitespace(char32_t c) noexcept {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
bool is_upper(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_LU; }
bool is_lower(char32_t c) noexcept { return category(c) == UTF8PROC_CATEGORY_LL; }
bool is_cjk_ideograph(char32_t c) noexcept {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}
bool is_kana(char32_t c) noexcept {
  return (c >= 0x3041 && c <= 0x30FF && c != 0x30FB) || (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9F);
}
bool is_hangul(char32_t c) noexcept {
  return (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3130 && c <= 0x318F) ||
         (c >= 0xA960 && c <= 0xA97F) || (c >= 0xD7B0 && c <= 0xD7FF);
}
char32_t to_lower(char32_t c) noexcept {
  return c > 0x10FFFF ? c : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}
char32_t to_upper(char32_t c) noexcept {
  return c > 0x10FFFF ? c : static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

}  // namespace slipway::text
