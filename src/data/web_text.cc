#include "data/web_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/hash.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

bool is_space(char32_t c) noexcept { return (text::WebChars::get()(c) & text::kWebSpace) != 0; }

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

bool is_ascii(std::string_view text) noexcept {
  unsigned char any = 0;
  for (const char c : text) {
    any = static_cast<unsigned char>(any | static_cast<unsigned char>(c));
  }
  return any < 0x80;
}

std::string_view strip_left(std::string_view text) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    const text::Decoded d = text::decode_at(text, at);
    if (!is_space(d.code)) {
      break;
    }
    at += d.size;
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
    if (!is_space(text::decode_at(text, at).code)) {
      break;
    }
    end = at;
  }
  return text.substr(0, end);
}

size_t count_of(std::string_view text, std::string_view part) noexcept {
  if (part.size() == 1) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), part.front()));
  }
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

void lower_ascii(std::string_view text, std::string& out) {
  out.resize(text.size());
  std::transform(text.begin(), text.end(), out.begin(),
                 [](char c) { return static_cast<char>(c + (static_cast<unsigned char>(c - 'A') < 26 ? 32 : 0)); });
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
    if (!kMayBreak[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const size_t size = break_size(text, at);
    if (size == 0) {
      ++at;
      continue;
    }
    lines.push_back(text.substr(begin, at - begin));
    at += size;
    begin = at;
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
