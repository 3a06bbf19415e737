#include "text/sentencepiece_normalizer.h"

#include <utf8proc.h>

#include "text/unicode.h"

namespace slipway::text {
namespace {

class PrecompiledNormalizer final : public Normalizer {
 public:
  explicit PrecompiledNormalizer(CharsMap map) : map_(std::move(map)) {}

  void apply(AlignedText& text) const override {
    std::vector<Change> changes;
    changes.reserve(text.size());
    bool changed = false;
    std::string utf8;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = grapheme_end(text.chars, begin);
      utf8.clear();
      text.encode(begin, end, utf8, nullptr);
      // Clusters of six bytes and more are looked up by character.
      if (utf8.size() < kMaxClusterBytes) {
        if (const auto hit = map_.find(utf8, false)) {
          replace(end - begin, hit->replacement, changes);
          changed = true;
          begin = end;
          continue;
        }
      }
      for (; begin < end; ++begin) {
        utf8.clear();
        text.encode(begin, begin + 1, utf8, nullptr);
        if (const auto hit = map_.find(utf8, false)) {
          replace(1, hit->replacement, changes);
          changed = true;
        } else {
          changes.push_back({text.chars[begin], 0});
        }
      }
    }
    if (changed) {
      text.transform(changes);
    }
  }

  bool apply_bytes(std::string_view text, std::string& out) const override {
    for (size_t at = 0; at < text.size();) {
      const size_t end = cluster_end(text, at);
      const std::string_view cluster = text.substr(at, end - at);
      at = end;
      if (cluster.size() == 1 && map_.keeps(static_cast<unsigned char>(cluster[0]))) {
        out += cluster[0];
        continue;
      }
      if (cluster.size() < kMaxClusterBytes) {
        if (const auto hit = map_.find(cluster, false)) {
          out += hit->replacement;
          continue;
        }
      }
      for (size_t i = 0; i < cluster.size();) {
        const std::string_view part = cluster.substr(i, decode_at(cluster, i).size);
        const auto hit = map_.find(part, false);
        out += hit ? hit->replacement : part;
        i += part.size();
      }
    }
    return true;
  }

 private:
  static constexpr size_t kMaxClusterBytes = 6;

  // The end of the grapheme cluster at `at` of UTF-8 text. Before another one, a character of ASCII is alone.
  static size_t cluster_end(std::string_view text, size_t at) noexcept {
    const auto ascii = [&](size_t i) { return static_cast<unsigned char>(text[i]) < 0x80; };
    if (ascii(at) && (at + 1 == text.size() || ascii(at + 1)) && text[at] != '\r') {
      return at + 1;
    }
    Decoded last = decode_at(text, at);
    utf8proc_int32_t state = 0;
    for (at += last.size; at < text.size(); at += last.size) {
      const Decoded next = decode_at(text, at);
      if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(last.code),
                                           static_cast<utf8proc_int32_t>(next.code), &state)) {
        break;
      }
      last = next;
    }
    return at;
  }
  static size_t grapheme_end(const std::u32string& chars, size_t begin) noexcept {
    utf8proc_int32_t state = 0;
    size_t end = begin + 1;
    while (end < chars.size() && !utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(chars[end - 1]),
                                                                   static_cast<utf8proc_int32_t>(chars[end]), &state)) {
      ++end;
    }
    return end;
  }
  // `count` characters become `replacement`: what is more is inserted at the end, what is less goes with the last.
  static void replace(size_t count, std::string_view replacement, std::vector<Change>& changes) {
    const size_t before = changes.size();
    for (size_t at = 0; at < replacement.size();) {
      const Decoded decoded = decode_at(replacement, at);
      changes.push_back({decoded.code, changes.size() - before < count ? 0 : 1});
      at += decoded.size;
    }
    const size_t written = changes.size() - before;
    if (written < count && !changes.empty()) {
      changes.back().change -= static_cast<int>(count - written);
    }
  }

  CharsMap map_;
};

class NmtNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) {
      return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F);
    });
    for (char32_t& c : text.chars) {
      const bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
      c = space ? U' ' : c;
    }
  }
};

}  // namespace

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceOptions& options, CharsMap map,
                                                 const std::vector<std::string>& symbols)
    : options_(options), map_(std::move(map)), symbols_(symbols) {
  std::vector<ByteTrie::Key> keys;
  for (size_t i = 0; i < symbols_.size(); ++i) {
    if (!symbols_[i].empty()) {
      keys.push_back({symbols_[i], static_cast<int32_t>(i)});
    }
  }
  symbol_trie_ = ByteTrie(std::move(keys));
}

// How many bytes come next, and what they become.
CharsMap::Hit SentencePieceNormalizer::next(std::string_view text) const noexcept {
  if (!symbols_.empty()) {
    size_t longest = 0;
    uint32_t node = ByteTrie::kRoot;
    for (size_t at = 0; at < text.size() && symbol_trie_.step(node, static_cast<unsigned char>(text[at]));) {
      ++at;
      longest = symbol_trie_.value(node) >= 0 ? at : longest;
    }
    if (longest > 0) {
      return {longest, text.substr(0, longest)};
    }
  }
  if (!map_.keeps(static_cast<unsigned char>(text[0]))) {
    if (const auto hit = map_.find(text, true)) {
      return *hit;
    }
  }
  const size_t size = decode_at(text, 0).size;
  return {size, text.substr(0, size)};
}

template <class Emit>
void SentencePieceNormalizer::run(std::string_view text, const Emit& emit) const {
  size_t at = 0;
  while (options_.remove_extra_whitespaces && at < text.size()) {
    const CharsMap::Hit hit = next(text.substr(at));
    if (hit.replacement != " ") {
      break;
    }
    at += hit.size;
  }
  if (at == text.size()) {
    return;
  }
  if (options_.add_dummy_prefix && !options_.treat_whitespace_as_suffix) {
    emit(space(), at, at + decode_at(text, at).size);
  }
  bool after_space = options_.remove_extra_whitespaces;
  while (at < text.size()) {
    const CharsMap::Hit hit = next(text.substr(at));
    std::string_view part = hit.replacement;
    const size_t end = at + hit.size;
    while (after_space && part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    if (!part.empty()) {
      after_space = options_.remove_extra_whitespaces && part.ends_with(' ');
    }
    while (!part.empty()) {
      const bool is_space = part[0] == ' ' && options_.escape_whitespaces;
      const size_t size =
          is_space ? 1 : std::min(options_.escape_whitespaces ? part.find(' ') : part.size(), part.size());
      emit(is_space ? space() : part.substr(0, size), at, end);
      part.remove_prefix(size);
    }
    at = end;
  }
}

bool SentencePieceNormalizer::apply_bytes(std::string_view text, std::string& out) const {
  const size_t before = out.size();
  run(text, [&](std::string_view part, size_t /*begin*/, size_t /*end*/) { out += part; });
  if (options_.remove_extra_whitespaces) {
    while (out.size() > before && out.ends_with(space())) {
      out.resize(out.size() - space().size());
    }
  }
  if (options_.add_dummy_prefix && options_.treat_whitespace_as_suffix && out.size() > before) {
    out += space();
  }
  return true;
}

void SentencePieceNormalizer::apply(AlignedText& text) const {
  std::string utf8;
  std::vector<uint32_t> char_of_byte;
  text.encode(0, text.size(), utf8, &char_of_byte);
  AlignedText result;
  run(utf8, [&](std::string_view part, size_t begin, size_t end) {
    const Origin origin{text.origins[char_of_byte[begin]].begin, text.origins[char_of_byte[end - 1]].end};
    for (size_t at = 0; at < part.size();) {
      const Decoded decoded = decode_at(part, at);
      result.chars += decoded.code;
      result.origins.push_back(origin);
      at += decoded.size;
    }
  });
  const char32_t mark = decode_at(space(), 0).code;
  if (options_.remove_extra_whitespaces) {
    while (!result.chars.empty() && result.chars.back() == mark) {
      result.chars.pop_back();
      result.origins.pop_back();
    }
  }
  if (options_.add_dummy_prefix && options_.treat_whitespace_as_suffix && !result.chars.empty()) {
    result.chars += mark;
    result.origins.push_back(result.origins.back());
  }
  text = std::move(result);
}

std::unique_ptr<Normalizer> make_precompiled(CharsMap map) {
  return std::make_unique<PrecompiledNormalizer>(std::move(map));
}

std::unique_ptr<Normalizer> make_nmt() { return std::make_unique<NmtNormalizer>(); }

}  // namespace slipway::text
