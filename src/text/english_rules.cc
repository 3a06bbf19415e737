#include "text/english_rules.h"

#include <algorithm>

#include "base/error.h"
#include "text/english_words.h"

namespace slipway::text::english {
namespace {

bool is_ascii_letters(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

const Rules& Rules::get() {
  static const Rules rules;
  return rules;
}

Rules::Rules() {
  const auto cases = english_special_cases();
  specials_.reserve(cases.size());
  for (const std::string_view joined : cases) {
    Special special;
    for (size_t begin = 0; begin <= joined.size();) {
      const size_t end = std::min(joined.find('\t', begin), joined.size());
      special.sizes.push_back(static_cast<uint32_t>(end - begin));
      special.text += joined.substr(begin, end - begin);
      begin = end + 1;
    }
    specials_.push_back(std::move(special));
  }
  std::vector<Piece> pieces;
  std::vector<Piece> suffixes;
  std::vector<Infix> infixes;
  for (uint32_t i = 0; i < specials_.size(); ++i) {
    const std::string_view text = specials_[i].text;
    index_.emplace(text, i);
    special_filter_.add(text);
    if (is_ascii_letters(text) && specials_[i].sizes.size() > 1) {
      SLIPWAY_CHECK(text.size() < 16);
      letters_[ends_of(text)] = static_cast<uint16_t>(letters_[ends_of(text)] | 1U << text.size());
    }
    const std::string_view stem = text.substr(0, text.size() - 1);
    if (text.ends_with('.') && !stem.empty() && is_ascii_letters(stem)) {
      SLIPWAY_CHECK(stem.size() < 15);
      dotted_[ends_of(stem)] = static_cast<uint16_t>(dotted_[ends_of(stem)] | 1U << stem.size());
    }
    // The scanner splits these signs from letters without a look at the special cases.
    SLIPWAY_CHECK(stem.empty() || !is_ascii_letters(stem) || kPlainSigns.find(text.back()) == std::string_view::npos);
  }
  for (const Special& special : specials_) {
    const std::string_view text = special.text;
    english_infixes(text, infixes);
    if (english_prefix(text) == 0 && english_suffix(text) == 0 && infixes.empty()) {
      continue;
    }
    cut(text, false, pieces, infixes, suffixes);
    uint32_t node = 0;
    for (const Piece& piece : pieces) {
      const std::string_view token = text.substr(piece.begin, piece.size);
      const uint32_t number = numbers_.try_emplace(token, static_cast<uint32_t>(numbers_.size() + 1)).first->second;
      number_filter_.add(token);
      const auto [entry, added] = rows_.next.try_emplace({node, number}, static_cast<uint32_t>(rows_.ends.size()));
      if (added) {
        rows_.ends.push_back(0);
      }
      node = entry->second;
    }
    rows_.ends[node] = 1;
  }
}

void Rules::attach(std::string_view chunk, Piece middle, bool with_specials, std::vector<Piece>& out,
                   std::vector<Infix>& infixes) const {
  const std::string_view text = chunk.substr(middle.begin, middle.size);
  if (const Special* special = with_specials ? find(text) : nullptr) {
    uint32_t begin = middle.begin;
    for (const uint32_t size : special->sizes) {
      out.push_back({begin, size});
      begin += size;
    }
    return;
  }
  infixes.clear();
  if (!is_web_address(text)) {
    english_infixes(text, infixes);
  }
  uint32_t begin = 0;
  for (const Infix& infix : infixes) {
    if (infix.begin == 0) {
      continue;
    }
    if (infix.begin != begin) {
      out.push_back({middle.begin + begin, infix.begin - begin});
    }
    out.push_back({middle.begin + infix.begin, infix.end - infix.begin});
    begin = infix.end;
  }
  if (begin < middle.size) {
    out.push_back({middle.begin + begin, middle.size - begin});
  }
}

void Rules::cut(std::string_view chunk, bool with_specials, std::vector<Piece>& out, std::vector<Infix>& infixes,
                std::vector<Piece>& suffixes) const {
  out.clear();
  suffixes.clear();
  size_t begin = 0;
  size_t end = chunk.size();
  const auto special = [&](size_t from, size_t to) {
    return with_specials && to > from && find(chunk.substr(from, to - from)) != nullptr;
  };
  while (end > begin && !special(begin, end)) {
    const size_t prefix = english_prefix(chunk.substr(begin, end - begin));
    if (prefix != 0 && special(begin + prefix, end)) {
      out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(prefix)});
      begin += prefix;
      break;
    }
    const size_t suffix = english_suffix(chunk.substr(begin + prefix, end - begin - prefix));
    // The rest without the suffix, but with the prefix, may be a special case: then the prefix stays.
    if (suffix != 0 && special(begin, end - suffix)) {
      suffixes.push_back({static_cast<uint32_t>(end - suffix), static_cast<uint32_t>(suffix)});
      end -= suffix;
      break;
    }
    if (prefix == 0 && suffix == 0) {
      break;
    }
    if (prefix != 0) {
      out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(prefix)});
      begin += prefix;
    }
    if (suffix != 0) {
      suffixes.push_back({static_cast<uint32_t>(end - suffix), static_cast<uint32_t>(suffix)});
      end -= suffix;
    }
  }
  if (end > begin) {
    attach(chunk, {static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin)}, with_specials, out, infixes);
  }
  out.insert(out.end(), suffixes.rbegin(), suffixes.rend());
}

}  // namespace slipway::text::english
