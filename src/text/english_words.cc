#include "text/english_words.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "text/english_affixes.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::text {
namespace {

constexpr uint8_t kLetterWord = kTokenNotSymbol | kTokenAlpha;

enum class ByteKind : uint8_t { kOther, kLetter, kSpace, kMaybeSpace };
constexpr std::array<ByteKind, 256> kByteKinds = [] {
  std::array<ByteKind, 256> kinds{};
  for (size_t c = 0; c < 26; ++c) {
    kinds['a' + c] = kinds['A' + c] = ByteKind::kLetter;
  }
  for (const int c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20}) {
    kinds[static_cast<size_t>(c)] = ByteKind::kSpace;
  }
  // U+0085 and U+00A0 begin with C2, U+1680 with E1, U+2000 to U+205F with E2, U+3000 with E3.
  for (const int c : {0xC2, 0xE1, 0xE2, 0xE3}) {
    kinds[static_cast<size_t>(c)] = ByteKind::kMaybeSpace;
  }
  return kinds;
}();

// Size of the white space at `at`, 0 for none. `at` < text.size().
size_t space_size(std::string_view text, size_t at, const WebChars& chars) noexcept {
  const ByteKind kind = kByteKinds[static_cast<unsigned char>(text[at])];
  if (kind != ByteKind::kMaybeSpace) {
    return kind == ByteKind::kSpace ? 1 : 0;
  }
  const Decoded d = decode_at(text, at);
  return (chars(d.code) & kWebSpace) != 0 ? d.size : 0;
}

struct Piece {
  uint32_t begin;
  uint32_t size;
};

// Signs that are always split from the end of a chunk of ASCII letters.
constexpr std::string_view kPlainSigns = ",;:!?)\"";

// A number for the first and the last of some ASCII letters.
size_t ends_of(std::string_view letters) noexcept {
  return (static_cast<unsigned char>(letters.front()) & 0x3FU) | ((static_cast<unsigned char>(letters.back()) & 0x1FU) << 6U);
}

// One special case: how it is cut, and how the rules alone would cut it.
struct Special {
  std::string text;
  std::vector<uint32_t> sizes;  // of its tokens, bytes
};

// A tree of rows of tokens, by the numbers of their texts.
struct Rows {
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> next;  // (node, token) -> node; node 0 is the root
  std::vector<uint8_t> ends{0};                            // whether a row ends at a node
};

class Rules {
 public:
  Rules();
  static const Rules& get() {
    static const Rules rules;
    return rules;
  }

  const Special* find(std::string_view chunk) const {
    if (chunk.size() > longest_) {
      return nullptr;
    }
    const auto found = index_.find(chunk);
    return found == index_.end() ? nullptr : &specials_[found->second];
  }
  // Whether a chunk of ASCII letters may be cut: a filter by length and ends that rarely errs, never says no wrongly.
  bool may_cut_letters(std::string_view chunk) const noexcept {
    return chunk.size() < 16 && (letters_[ends_of(chunk)] >> chunk.size() & 1U) != 0;
  }
  // The same for ASCII letters before a full stop: whether the chunk with its full stop may be a special case, or the full
  // stop may stay with it.
  bool may_keep_dot(std::string_view letters) const noexcept {
    if (letters.size() < 2 || (letters.size() < 15 && (dotted_[ends_of(letters)] >> letters.size() & 1U) != 0)) {
      return true;
    }
    const auto is_lower = [](char c) { return c >= 'a'; };
    return !is_lower(letters.back()) && is_lower(letters[letters.size() - 2]);
  }
  uint32_t token_number(std::string_view token) const {  // 0: in no row
    if (token.size() > longest_) {
      return 0;
    }
    const auto found = numbers_.find(token);
    return found == numbers_.end() ? 0 : found->second;
  }
  const Rows& rows() const noexcept { return rows_; }

  // The tokens of a chunk by affixes, addresses and infixes, and by special cases when asked.
  void cut(std::string_view chunk, bool with_specials, std::vector<Piece>& out, std::vector<Infix>& infixes,
           std::vector<Piece>& suffixes) const;

 private:
  void attach(std::string_view chunk, Piece middle, bool with_specials, std::vector<Piece>& out,
              std::vector<Infix>& infixes) const;

  std::vector<Special> specials_;
  std::unordered_map<std::string_view, uint32_t> index_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
  size_t longest_ = 0;
  // By first and last letter, a bit for each size.
  std::array<uint16_t, 2048> letters_{};
  std::array<uint16_t, 2048> dotted_{};
  Rows rows_;
};

bool is_ascii_letters(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
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
    longest_ = std::max(longest_, text.size());
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
      const uint32_t number =
          numbers_.try_emplace(text.substr(piece.begin, piece.size), static_cast<uint32_t>(numbers_.size() + 1))
              .first->second;
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

// Of 1 to 24 bytes: all of them count.
uint64_t hash_short(std::string_view bytes) noexcept {
  const auto load = [&](size_t at, size_t size) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, size);
    return value;
  };
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t middle = bytes.size();
  if (bytes.size() >= 8) {
    first = load(0, 8);
    last = load(bytes.size() - 8, 8);
    middle += load((bytes.size() - 8) / 2, 8);
  } else if (bytes.size() >= 4) {
    first = load(0, 4);
    last = load(bytes.size() - 4, 4);
  } else {
    first = load(0, 1);
    last = load(bytes.size() - 1, 1);
    middle += load(bytes.size() / 2, 1) << 8U;
  }
  const uint64_t hash =
      (first * 0x9E3779B97F4A7C15ULL) ^ (last * 0xC2B2AE3D27D4EB4FULL) ^ (middle * 0x9FB21C651E98DF25ULL);
  return hash ^ (hash >> 32U) ^ (hash >> 47U);
}

void describe(std::string_view word, const WebChars& chars, uint32_t& count, uint8_t& flags) noexcept {
  count = 0;
  uint32_t any = 0;
  uint32_t all = ~0U;
  bool not_symbol = false;
  for (size_t at = 0; at < word.size(); ++count) {
    const Decoded d = decode_at(word, at);
    const uint32_t classes = chars(d.code);
    any |= classes;
    all &= classes;
    not_symbol = not_symbol || (classes & kWebPunctuation) == 0;
    at += d.size;
  }
  flags = static_cast<uint8_t>((not_symbol ? kTokenNotSymbol : 0) | ((any & kWebAlpha) != 0 ? kTokenAlpha : 0) |
                               (count == 1 && (any & kWebSentenceEnd) != 0 ? kTokenSentenceEnd : 0) |
                               ((all & kWebCategoryP) != 0 ? kTokenPunctuation : 0));
}

// The flags of a sign that may be split from letters without more ado; 0 for other characters.
uint8_t sign_flags(char c) noexcept {
  if (c == '.' || c == '!' || c == '?') {
    return kTokenPunctuation | kTokenSentenceEnd;
  }
  return kPlainSigns.find(c) == std::string_view::npos ? 0 : kTokenPunctuation;
}

}  // namespace

struct EnglishWords::Impl {
  // What a short chunk is cut into: most chunks of a text have been seen before.
  struct Known {
    static constexpr size_t kMaxSize = 24;
    static constexpr size_t kMaxTokens = 6;
    std::array<char, kMaxSize> text{};
    uint8_t size = 0;  // 0: empty
    uint8_t tokens = 0;
    bool respelled = false;  // a row of its tokens spells a special case
    std::array<uint8_t, kMaxTokens> sizes{};
    std::array<uint8_t, kMaxTokens> chars{};
    std::array<uint8_t, kMaxTokens> flags{};
  };

  static constexpr size_t kKnown = 4096;  // 64 bytes each: stays in a second-level cache
  std::vector<Known> known{kKnown};
  std::vector<Piece> pieces;
  std::vector<Piece> suffixes;
  std::vector<Infix> infixes;
  std::vector<uint32_t> respelled;  // first tokens of chunks in which a row of tokens spells a special case
  const Rules& rules = Rules::get();
  const WebChars& chars = WebChars::get();

  void add_chunk(std::string_view text, size_t begin, size_t end, uint8_t space, std::vector<WebToken>& tokens);
  bool spells_special(std::string_view chunk) const;
  void respell(std::string_view text, std::vector<WebToken>& tokens);
  void respell_row(std::string_view text, size_t first, size_t last, std::vector<WebToken>& tokens,
                   std::vector<WebToken>& out) const;
};

// Whether a row of pieces spells a special case that cuts otherwise.
bool EnglishWords::Impl::spells_special(std::string_view chunk) const {
  const Rows& rows = rules.rows();
  for (size_t first = 0; first < pieces.size(); ++first) {
    uint32_t node = 0;
    for (size_t at = first; at < pieces.size(); ++at) {
      const uint32_t number = rules.token_number(chunk.substr(pieces[at].begin, pieces[at].size));
      const auto next = number == 0 ? rows.next.end() : rows.next.find({node, number});
      if (next == rows.next.end()) {
        break;
      }
      node = next->second;
      if (rows.ends[node] == 0) {
        continue;
      }
      const size_t size = pieces[at].begin + pieces[at].size - pieces[first].begin;
      const Special* special = rules.find(chunk.substr(pieces[first].begin, size));
      const size_t count = at - first + 1;
      bool same = special == nullptr || special->sizes.size() == count;
      for (size_t i = 0; same && special != nullptr && i < count; ++i) {
        same = special->sizes[i] == pieces[first + i].size;
      }
      if (!same) {
        return true;
      }
    }
  }
  return false;
}

void EnglishWords::Impl::add_chunk(std::string_view text, size_t begin, size_t end, uint8_t space,
                                   std::vector<WebToken>& tokens) {
  const std::string_view chunk = text.substr(begin, end - begin);
  Known* slot = nullptr;
  if (chunk.size() <= Known::kMaxSize) {
    slot = &known[hash_short(chunk) & (kKnown - 1)];
    if (slot->size == chunk.size() && std::memcmp(slot->text.data(), chunk.data(), chunk.size()) == 0) {
      if (slot->respelled) {
        respelled.push_back(static_cast<uint32_t>(tokens.size()));
      }
      auto at = static_cast<uint32_t>(begin);
      for (size_t i = 0; i < slot->tokens; ++i) {
        tokens.push_back(
            {at, slot->sizes[i], slot->chars[i], static_cast<uint8_t>(slot->flags[i] | (i == 0 ? space : 0))});
        at += slot->sizes[i];
      }
      return;
    }
  }
  rules.cut(chunk, true, pieces, infixes, suffixes);
  const bool special = pieces.size() > 1 || rules.token_number(chunk) != 0;
  const bool respell_needed = special && spells_special(chunk);
  if (respell_needed) {
    respelled.push_back(static_cast<uint32_t>(tokens.size()));
  }
  const size_t first = tokens.size();
  for (const Piece& piece : pieces) {
    WebToken token{static_cast<uint32_t>(begin) + piece.begin, piece.size, 0, 0};
    describe(chunk.substr(piece.begin, piece.size), chars, token.chars, token.flags);
    tokens.push_back(token);
  }
  if (slot != nullptr && pieces.size() <= Known::kMaxTokens) {
    std::memcpy(slot->text.data(), chunk.data(), chunk.size());
    slot->size = static_cast<uint8_t>(chunk.size());
    slot->tokens = static_cast<uint8_t>(pieces.size());
    slot->respelled = respell_needed;
    for (size_t i = 0; i < pieces.size(); ++i) {
      slot->sizes[i] = static_cast<uint8_t>(pieces[i].size);
      slot->chars[i] = static_cast<uint8_t>(tokens[first + i].chars);
      slot->flags[i] = tokens[first + i].flags;
    }
  }
  if (tokens.size() > first) {
    tokens[first].flags |= space;
  }
}

// Tokens [first, last) all occur in rows: the longest rows come first, then the leftmost; a row that touches a token of
// a row already looked at, at its ends, is left; only a row without spaces inside is a special case.
void EnglishWords::Impl::respell_row(std::string_view text, size_t first, size_t last, std::vector<WebToken>& tokens,
                                     std::vector<WebToken>& out) const {
  struct Span {
    size_t begin;
    size_t end;
  };
  const Rows& rows = rules.rows();
  std::vector<Span> spans;
  const auto number = [&](size_t at) { return rules.token_number(text.substr(tokens[at].begin, tokens[at].size)); };
  for (size_t begin = first; begin < last; ++begin) {
    uint32_t node = 0;
    for (size_t at = begin; at < last; ++at) {
      if (at > begin && (tokens[at].flags & kTokenSpaceBefore) != 0) {
        break;
      }
      const auto next = rows.next.find({node, number(at)});
      if (next == rows.next.end()) {
        break;
      }
      node = next->second;
      if (rows.ends[node] != 0) {
        spans.push_back({begin, at + 1});
      }
    }
  }
  std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    const size_t a_size = a.end - a.begin;
    const size_t b_size = b.end - b.begin;
    return a_size != b_size ? a_size > b_size : a.begin < b.begin;
  });
  std::vector<uint8_t> seen(last - first);
  std::map<size_t, size_t> chosen;
  for (const Span& span : spans) {
    if (seen[span.begin - first] == 0 && seen[span.end - 1 - first] == 0) {
      chosen[span.begin] = span.end;
    }
    std::fill(seen.begin() + static_cast<std::ptrdiff_t>(span.begin - first),
              seen.begin() + static_cast<std::ptrdiff_t>(span.end - first), uint8_t{1});
  }
  for (size_t at = first; at < last;) {
    const auto found = chosen.find(at);
    if (found == chosen.end()) {
      out.push_back(tokens[at++]);
      continue;
    }
    const size_t end = found->second;
    const uint32_t begin = tokens[at].begin;
    const Special* special = rules.find(text.substr(begin, tokens[end - 1].begin + tokens[end - 1].size - begin));
    if (special == nullptr) {
      out.insert(out.end(), tokens.begin() + static_cast<std::ptrdiff_t>(at),
                 tokens.begin() + static_cast<std::ptrdiff_t>(end));
    } else {
      uint32_t place = begin;
      for (size_t i = 0; i < special->sizes.size(); ++i) {
        WebToken token{place, special->sizes[i], 0, 0};
        describe(text.substr(place, special->sizes[i]), chars, token.chars, token.flags);
        token.flags |= i == 0 ? tokens[at].flags & (kTokenSpaceBefore | kTokenChunkStart) : 0;
        out.push_back(token);
        place += special->sizes[i];
      }
    }
    at = end;
  }
}

void EnglishWords::Impl::respell(std::string_view text, std::vector<WebToken>& tokens) {
  std::vector<WebToken> out;
  out.reserve(tokens.size());
  const auto in_row = [&](size_t at) {
    return rules.token_number(text.substr(tokens[at].begin, tokens[at].size)) != 0;
  };
  size_t done = 0;
  for (const uint32_t mark : respelled) {
    size_t chunk_end = mark + size_t{1};
    while (chunk_end < tokens.size() && (tokens[chunk_end].flags & kTokenChunkStart) == 0) {
      ++chunk_end;
    }
    // Rows may begin in chunks before; the last one looked at may have gone into this one.
    size_t at = std::max<size_t>(mark, done);
    while (at > done && at <= mark && (tokens[at].flags & kTokenSpaceBefore) == 0 && in_row(at) && in_row(at - 1)) {
      --at;
    }
    out.insert(out.end(), tokens.begin() + static_cast<std::ptrdiff_t>(done),
               tokens.begin() + static_cast<std::ptrdiff_t>(at));
    while (at < chunk_end) {
      if (!in_row(at)) {
        out.push_back(tokens[at++]);
        continue;
      }
      size_t last = at + 1;
      while (last < tokens.size() && (tokens[last].flags & kTokenSpaceBefore) == 0 && in_row(last)) {
        ++last;
      }
      respell_row(text, at, last, tokens, out);
      at = last;
    }
    done = at;
  }
  out.insert(out.end(), tokens.begin() + static_cast<std::ptrdiff_t>(done), tokens.end());
  tokens = std::move(out);
}

EnglishWords::EnglishWords() : impl_(std::make_unique<Impl>()) {}
EnglishWords::~EnglishWords() = default;
EnglishWords::EnglishWords(EnglishWords&&) noexcept = default;
EnglishWords& EnglishWords::operator=(EnglishWords&&) noexcept = default;

bool EnglishWords::scan(std::string_view text, std::vector<WebToken>& tokens) {
  Impl& impl = *impl_;
  const WebChars& chars = impl.chars;
  tokens.clear();
  impl.respelled.clear();
  size_t at = 0;
  while (at < text.size()) {
    const size_t gap = at;
    size_t spaces = 0;  // characters
    while (at < text.size()) {
      const size_t size = space_size(text, at, chars);
      if (size == 0) {
        break;
      }
      at += size;
      ++spaces;
    }
    // spaCy keeps one plain space with the token before it; all other white space is a token.
    const bool space_token = spaces > 0 && (gap == 0 || spaces > 1 || text[gap] != ' ');
    if (at == text.size()) {
      if (!impl.respelled.empty()) {
        impl.respell(text, tokens);
      }
      return space_token;
    }
    const auto space = static_cast<uint8_t>(kTokenChunkStart | (space_token ? kTokenSpaceBefore : 0));
    const size_t begin = at;
    while (at < text.size() && kByteKinds[static_cast<unsigned char>(text[at])] == ByteKind::kLetter) {
      ++at;
    }
    if (at > begin) {
      const std::string_view word = text.substr(begin, at - begin);
      const auto size = static_cast<uint32_t>(word.size());
      const auto ends = [&](size_t place) { return place == text.size() || space_size(text, place, chars) != 0; };
      if (ends(at)) {
        if (!impl.rules.may_cut_letters(word)) {
          tokens.push_back({static_cast<uint32_t>(begin), size, size, static_cast<uint8_t>(kLetterWord | space)});
          continue;
        }
      } else if (const uint8_t sign = sign_flags(text[at]); sign != 0 && ends(at + 1) && !impl.rules.may_cut_letters(word) &&
                                                            (text[at] != '.' || !impl.rules.may_keep_dot(word))) {
        tokens.push_back({static_cast<uint32_t>(begin), size, size, static_cast<uint8_t>(kLetterWord | space)});
        tokens.push_back({static_cast<uint32_t>(at), 1, 1, sign});
        ++at;
        continue;
      }
    }
    while (at < text.size() &&
           (kByteKinds[static_cast<unsigned char>(text[at])] < ByteKind::kSpace || space_size(text, at, chars) == 0)) {
      ++at;  // a byte inside a character begins no white space
    }
    impl.add_chunk(text, begin, at, space, tokens);
  }
  if (!impl.respelled.empty()) {
    impl.respell(text, tokens);
  }
  return false;
}

size_t count_sentences(std::span<const WebToken> tokens, bool ends_in_space) noexcept {
  size_t count = 1;
  bool seen_end = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const uint8_t flags = tokens[i].flags;
    const bool space = (flags & kTokenSpaceBefore) != 0;  // before the first one it changes nothing
    if (seen_end && (space || (flags & (kTokenPunctuation | kTokenSentenceEnd)) == 0)) {
      ++count;
      seen_end = false;
    }
    if ((flags & kTokenSentenceEnd) != 0) {
      seen_end = true;
    }
  }
  return count + static_cast<size_t>(seen_end && ends_in_space && !tokens.empty());
}

}  // namespace slipway::text
