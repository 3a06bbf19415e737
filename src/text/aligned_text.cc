#include "text/aligned_text.h"

#include "text/regex.h"
#include "text/unicode.h"

namespace slipway::text {

AlignedText AlignedText::decode(std::string_view utf8, uint32_t first) {
  AlignedText result;
  result.chars.reserve(utf8.size());
  result.origins.reserve(utf8.size());
  for (size_t at = 0; at < utf8.size();) {
    const Decoded d = decode_at(utf8, at);
    result.chars += d.code;
    result.origins.push_back({first, first + 1});
    ++first;
    at += d.size;
  }
  return result;
}

void AlignedText::transform(const std::vector<Change>& changes, size_t removed_first) {
  std::u32string new_chars;
  std::vector<Origin> new_origins;
  new_chars.reserve(changes.size());
  new_origins.reserve(changes.size());
  size_t at = removed_first;
  for (const Change& change : changes) {
    new_chars += change.code;
    if (change.change > 0 || at >= origins.size()) {
      new_origins.push_back(at == 0 || origins.empty() ? Origin{} : origins[std::min(at, origins.size()) - 1]);
    } else {
      new_origins.push_back(origins[at]);
      at += static_cast<size_t>(1 - change.change);
    }
  }
  chars = std::move(new_chars);
  origins = std::move(new_origins);
}

void AlignedText::filter(const std::function<bool(char32_t)>& keep) {
  size_t kept = 0;
  for (size_t i = 0; i < chars.size(); ++i) {
    if (keep(chars[i])) {
      chars[kept] = chars[i];
      origins[kept] = origins[i];
      ++kept;
    }
  }
  chars.resize(kept);
  origins.resize(kept);
}

// `find(at, begin, end)` gives the next place to replace; not empty. Replacements are of the last character replaced.
template <class Find>
void AlignedText::replace_found(std::u32string_view content, const Find& find) {
  size_t begin = 0;
  size_t end = 0;
  if (!find(0, begin, end)) {
    return;
  }
  AlignedText result;
  size_t at = 0;
  const auto keep = [&](size_t to) {
    result.chars.append(chars, at, to - at);
    result.origins.insert(result.origins.end(), origins.begin() + static_cast<std::ptrdiff_t>(at),
                          origins.begin() + static_cast<std::ptrdiff_t>(to));
  };
  do {
    keep(begin);
    at = end;
    result.chars += content;
    result.origins.insert(result.origins.end(), content.size(), origins[at - 1]);
  } while (find(at, begin, end));
  keep(chars.size());
  *this = std::move(result);
}

void AlignedText::replace(std::u32string_view pattern, std::u32string_view content) {
  replace_found(content, [&](size_t at, size_t& begin, size_t& end) {
    begin = chars.find(pattern, at);
    end = begin + pattern.size();
    return begin != std::u32string::npos;
  });
}

void AlignedText::replace(const Regex& regex, std::u32string_view content) {
  const auto size = static_cast<uint32_t>(chars.size());
  replace_found(content, [&](size_t at, size_t& begin, size_t& end) {
    Regex::Match match{};
    auto from = static_cast<uint32_t>(at);
    while (from <= size && regex.find(chars, 0, size, from, match)) {
      if (match.begin < match.end) {
        begin = match.begin;
        end = match.end;
        return true;
      }
      from = match.end + 1;
    }
    return false;
  });
}

void AlignedText::prepend(std::u32string_view prefix) {
  if (chars.empty()) {
    return;
  }
  chars.insert(0, prefix);
  origins.insert(origins.begin(), prefix.size(), origins[0]);
}

void AlignedText::encode(size_t begin, size_t end, std::string& out, std::vector<uint32_t>* char_of_byte) const {
  for (size_t i = begin; i < end; ++i) {
    const size_t before = out.size();
    append_utf8(chars[i], out);
    if (char_of_byte != nullptr) {
      char_of_byte->insert(char_of_byte->end(), out.size() - before, static_cast<uint32_t>(i));
    }
  }
}

std::u32string to_utf32(std::string_view utf8) {
  std::u32string out;
  for (size_t at = 0; at < utf8.size();) {
    const Decoded d = decode_at(utf8, at);
    out += d.code;
    at += d.size;
  }
  return out;
}

}  // namespace slipway::text
