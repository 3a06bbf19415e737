#include "data/web_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/hash.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

// Sixteen bytes at once: compilers have them on every processor, on x86-64 in SSE2, which all of them have.
using Bytes = signed char __attribute__((vector_size(16)));

Bytes load(const char* from) noexcept {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}
constexpr size_t kStep = sizeof(Bytes);

struct Words {
  uint64_t low;
  uint64_t high;
};
Words words_of(const Bytes& bytes) noexcept {
  Words words{};
  std::memcpy(&words, &bytes, sizeof words);
  return words;
}
bool any(const Bytes& mask) noexcept {
  const Words words = words_of(mask);
  return (words.low | words.high) != 0;
}

bool is_space(char32_t c) noexcept { return (text::WebChars::get()(c) & text::kWebSpace) != 0; }
// The character at `at`, and whether it is white space.
struct Seen {
  bool space;
  uint32_t size;
};
Seen look(std::string_view text, size_t at) noexcept {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) {
    return {(byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x20), 1};
  }
  const text::Decoded d = text::decode_at(text, at);
  return {is_space(d.code), d.size};
}

// Bytes at which a line break of str.splitlines may begin.
constexpr std::array<bool, 256> kMayBreak = [] {
  std::array<bool, 256> table{};
  for (const int byte : {0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0xC2, 0xE2}) {
    table[static_cast<size_t>(byte)] = true;
  }
  return table;
}();

// Size of the break at `at`, 0 for none; CR LF is one.
size_t break_size(std::string_view text, size_t at) noexcept {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte == '\r') {
    return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
  }
  if (byte < 0x80) {
    return 1;
  }
  const text::Decoded d = text::decode_at(text, at);
  return d.code == 0x85 || d.code == 0x2028 || d.code == 0x2029 ? d.size : 0;
}

}  // namespace

size_t count_chars(std::string_view text) noexcept {
  constexpr size_t kMost = 255 * kStep;  // as many as a byte can count
  size_t continuation = 0;
  size_t at = 0;
  while (at + kStep <= text.size()) {
    const size_t stop = std::min(text.size(), at + kMost);
    Bytes sum{};
    for (; at + kStep <= stop; at += kStep) {
      sum -= load(text.data() + at) < static_cast<signed char>(-0x40);  // true is -1
    }
    constexpr uint64_t kEven = 0x00FF00FF00FF00FFULL;
    const Words words = words_of(sum);
    const uint64_t pairs =
        (words.low & kEven) + (words.low >> 8U & kEven) + (words.high & kEven) + (words.high >> 8U & kEven);
    continuation += pairs * 0x0001000100010001ULL >> 48U;
  }
  for (; at < text.size(); ++at) {
    continuation += static_cast<size_t>(static_cast<signed char>(text[at]) < -0x40);
  }
  return text.size() - continuation;
}

bool is_ascii(std::string_view text) noexcept {
  size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) {
    if (any(load(text.data() + at) < 0)) {
      return false;
    }
  }
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string_view strip_left(std::string_view text) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    const Seen seen = look(text, at);
    if (!seen.space) {
      break;
    }
    at += seen.size;
  }
  return text.substr(at);
}

std::string_view strip_right(std::string_view text) noexcept {
  size_t end = text.size();
  while (end > 0) {
    size_t at = end - 1;
    while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) {
      --at;
    }
    if (!look(text, at).space) {
      break;
    }
    end = at;
  }
  return text.substr(0, end);
}

size_t count_of(std::string_view text, std::string_view part) noexcept {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

void lower_ascii(std::string_view text, std::string& out) {
  out.resize(text.size());
  size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) {
    Bytes bytes = load(text.data() + at);
    bytes += ((bytes >= 'A') & (bytes <= 'Z')) & static_cast<signed char>(32);
    std::memcpy(out.data() + at, &bytes, kStep);
  }
  for (; at < text.size(); ++at) {
    const char c = text[at];
    out[at] = static_cast<char>(c + (static_cast<unsigned char>(c - 'A') < 26 ? 32 : 0));
  }
}

bool may_hold_phrase(std::string_view text) noexcept {
  // Of each phrase two or three letters that seldom stand so far from each other.
  constexpr size_t kAhead = 5;
  const auto hold = [](Bytes v0, Bytes v1, Bytes v2, Bytes v3, Bytes v4, Bytes v5) {
    const Bytes lorem = (v0 == 'l') & (v1 == 'o') & (v4 == 'm');
    const Bytes javascript = (v0 == 'j') & (v2 == 'v');
    const Bytes cookie = (v0 == 'c') & (v1 == 'o') & (v3 == 'k');
    const Bytes policy = (v0 == 'p') & (v2 == 'l') & (v5 == 'y');
    const Bytes terms = (v0 == 't') & (v3 == 'm') & (v4 == 's');
    return any(lorem | javascript | cookie | policy | terms);
  };
  // Setting this bit makes capitals small letters, and no other byte a letter.
  const auto at = [](const char* from) { return load(from) | static_cast<signed char>(0x20); };
  size_t i = 0;
  for (; i + kStep + kAhead <= text.size(); i += kStep) {
    const char* from = text.data() + i;
    if (hold(at(from), at(from + 1), at(from + 2), at(from + 3), at(from + 4), at(from + 5))) {
      return true;
    }
  }
  std::array<char, kStep + 2 * kAhead + kStep> rest{};
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), rest.begin());
  for (const size_t begin : {size_t{0}, kStep}) {
    const char* from = rest.data() + begin;
    if (begin + kStep + kAhead <= rest.size() &&
        hold(at(from), at(from + 1), at(from + 2), at(from + 3), at(from + 4), at(from + 5))) {
      return true;
    }
  }
  return false;
}

bool lower_contains(std::string_view text, std::string_view part) noexcept {
  // Beyond ASCII only U+212A (the Kelvin sign) becomes an ASCII letter, k; U+0130 becomes i and a dot above.
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  const char first = part.front();
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (size_t begin = 0; begin + part.size() <= text.size(); ++begin) {
    if (lower(text[begin]) != first && !(first == 'k' && text.substr(begin).starts_with(kKelvin))) {
      continue;
    }
    size_t at = begin;
    size_t matched = 0;
    while (matched < part.size() && at < text.size()) {
      if (lower(text[at]) == part[matched]) {
        ++at;
      } else if (part[matched] == 'k' && text.substr(at).starts_with(kKelvin)) {
        at += kKelvin.size();
      } else {
        break;
      }
      ++matched;
    }
    if (matched == part.size()) {
      return true;
    }
  }
  return false;
}

void split_lines(std::string_view text, std::vector<std::string_view>& lines) {
  lines.clear();
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    // Control characters, and bytes with which U+0085, U+2028 and U+2029 begin.
    const auto may_break = [&] {
      const Bytes bytes = load(text.data() + at);
      return any(((bytes >= 0) & (bytes < 0x20)) | (bytes == static_cast<signed char>(0xC2)) |
                 (bytes == static_cast<signed char>(0xE2)));
    };
    while (at + kStep <= text.size() && !may_break()) {
      at += kStep;
    }
    const size_t stop = std::min(text.size(), at + kStep);
    while (at < stop) {
      const size_t size = kMayBreak[static_cast<unsigned char>(text[at])] ? break_size(text, at) : 0;
      if (size == 0) {
        ++at;
        continue;
      }
      lines.push_back(text.substr(begin, at - begin));
      at += size;
      begin = at;
    }
  }
  if (begin < text.size()) {
    lines.push_back(text.substr(begin));
  }
}

void split_newlines(std::string_view text, std::vector<std::string_view>& lines) {
  lines.clear();
  size_t begin = 0;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  lines.push_back(text.substr(begin));
}

void split_newline_runs(std::string_view text, size_t least, std::vector<std::string_view>& lines) {
  lines.clear();
  size_t begin = 0;
  for (size_t at = text.find('\n'); at != std::string_view::npos;) {
    size_t end = at + 1;
    while (end < text.size() && text[end] == '\n') {
      ++end;
    }
    if (end - at >= least) {
      lines.push_back(text.substr(begin, at - begin));
      begin = end;
    }
    at = text.find('\n', end);
  }
  lines.push_back(text.substr(begin));
}

void CopyFinder::find_first(const std::vector<std::string_view>& elements) {
  first_.resize(elements.size());
  const size_t size = std::bit_ceil(std::max<size_t>(16, elements.size() * 2));
  if (slots_.size() < size) {
    slots_.assign(size, Slot{});
    round_ = 0;
  }
  if (++round_ == 0) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    round_ = 1;
  }
  const size_t mask = size - 1;
  for (uint32_t i = 0; i < elements.size(); ++i) {
    const std::string_view element = elements[i];
    const uint64_t hash = base::xxh64(element);
    size_t at = hash & mask;
    while (slots_[at].round == round_ && (slots_[at].hash != hash || elements[slots_[at].element] != element)) {
      at = (at + 1) & mask;
    }
    if (slots_[at].round != round_) {
      slots_[at] = {hash, i, round_};
    }
    first_[i] = slots_[at].element;
  }
}

CopyCounts CopyFinder::later_copies(const std::vector<std::string_view>& elements) {
  CopyCounts found;
  if (elements.size() < 2) {
    return found;
  }
  find_first(elements);
  for (uint32_t i = 0; i < elements.size(); ++i) {
    if (first_[i] != i) {
      ++found.elements;
      found.chars += count_chars(elements[i]);
    }
  }
  return found;
}

CopyCounts CopyFinder::all_copies(const std::vector<std::string_view>& elements) {
  CopyCounts found;
  find_first(elements);
  copies_.assign(elements.size(), 0);
  for (const uint32_t first : first_) {
    ++copies_[first];
  }
  for (uint32_t i = 0; i < elements.size(); ++i) {
    if (copies_[first_[i]] > 1) {
      ++found.elements;
      found.chars += count_chars(elements[i]);
    }
  }
  return found;
}

}  // namespace slipway::data
