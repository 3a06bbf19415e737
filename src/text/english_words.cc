#include "text/english_words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>

#include "text/chunk_finder.h"
#include "text/english_rules.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::text {
namespace {

constexpr uint8_t kLetterWord = kTokenNotSymbol | kTokenAlpha;

using english::Piece;
using english::Rows;
using english::Rules;
using english::Special;

constexpr size_t kShortBytes = 24;

// A text of 1 to 24 bytes and zeros behind it, as three numbers.
struct ShortText {
  uint64_t a;
  uint64_t b;
  uint64_t c;
  bool operator==(const ShortText&) const = default;
  uint64_t hash() const noexcept {
    const uint64_t rest = (b ^ c * 0xC2B2AE3D27D4EB4FULL) * 0x9FB21C651E98DF25ULL;
    const uint64_t mixed = (a * 0x9E3779B97F4A7C15ULL) ^ std::rotl(rest, 32);
    return mixed ^ (mixed >> 32U);
  }
};

constexpr std::array<ShortText, kShortBytes + 1> kShortMasks = [] {
  std::array<ShortText, kShortBytes + 1> masks{};
  const auto bytes = [](size_t count) {  // the first `count` of eight
    constexpr uint64_t kAll = ~uint64_t{0};
    if (count == 0 || count >= 8) {
      return count == 0 ? 0 : kAll;
    }
    return std::endian::native == std::endian::little ? kAll >> (64 - 8 * count) : kAll << (64 - 8 * count);
  };
  for (size_t size = 0; size <= kShortBytes; ++size) {
    masks[size] = {bytes(size), bytes(size > 8 ? size - 8 : 0), bytes(size > 16 ? size - 16 : 0)};
  }
  return masks;
}();

// text[begin, begin + size), size <= 24.
ShortText short_text(std::string_view text, size_t begin, size_t size) noexcept {
  ShortText read{0, 0, 0};
  if (begin + kShortBytes <= text.size()) {
    std::memcpy(&read, text.data() + begin, kShortBytes);
    const ShortText& mask = kShortMasks[size];
    return {read.a & mask.a, read.b & mask.b, read.c & mask.c};
  }
  std::memcpy(&read, text.data() + begin, size);
  return read;
}

void describe(std::string_view word, const WebChars& chars, uint32_t& count, uint8_t& flags) noexcept {
  count = 0;
  uint32_t any = 0;
  uint32_t all = ~0U;
  bool not_symbol = false;
  for (size_t at = 0; at < word.size(); ++count) {
    const auto byte = static_cast<unsigned char>(word[at]);
    const Decoded d = byte < 0x80 ? Decoded{byte, 1} : decode_at(word, at);
    const uint32_t classes = byte < 0x80 ? chars.ascii(byte) : chars(d.code);
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
constexpr std::array<uint8_t, 256> kSignFlags = [] {
  std::array<uint8_t, 256> flags{};
  for (const char c : english::kPlainSigns) {
    flags[static_cast<unsigned char>(c)] = kTokenPunctuation;
  }
  for (const char c : {'.', '!', '?'}) {
    flags[static_cast<unsigned char>(c)] = kTokenPunctuation | kTokenSentenceEnd;
  }
  return flags;
}();

}  // namespace

struct EnglishWords::Impl {
  // What a short chunk is cut into: most chunks of a text have been seen before.
  struct alignas(64) Known {
    static constexpr size_t kMaxTokens = 8;
    ShortText text{0, 0, 0};
    uint8_t size = 0;  // 0: empty
    uint8_t tokens = 0;
    bool respelled = false;  // a row of its tokens spells a special case
    std::array<uint8_t, kMaxTokens> sizes{};
    std::array<uint8_t, kMaxTokens> chars{};
    std::array<uint8_t, kMaxTokens> flags{};
  };

  // 64 bytes each, 2 MB. A chunk that is not there costs 0.4 us, a look beyond the second-level cache a twentieth of it; of the
  // chunks that need one in bench/rivals/data_stage.py's articles 47 % were missed with 4,096, 35 % with 8,192, 12 % so.
  static constexpr size_t kKnown = 32768;
  std::vector<Known> known;  // empty: none is kept
  ChunkFinder chunks;
  std::vector<WebToken> made;  // its first `used` are the text's so far, the rest is room
  size_t used = 0;
  std::vector<Piece> pieces;
  std::vector<Piece> suffixes;
  std::vector<Infix> infixes;
  std::vector<uint32_t> respelled;  // first tokens of chunks in which a row of tokens spells a special case
  const Rules& rules = Rules::get();
  const WebChars& chars = WebChars::get();
  Path path;

  explicit Impl(Path given) : known(given == Path::kFast ? kKnown : 0), path(given) {}
  // What is to be done with a chunk.
  enum class Kind : uint8_t { kWord, kWordAndSign, kOther };
  struct Planned {
    Kind kind = Kind::kOther;
    uint32_t letters = 0;
    ShortText key{0, 0, 0};
    Known* slot = nullptr;  // where the cache has it, if it has; null: it is too long
  };
  Planned plan(std::string_view text, uint32_t begin, uint32_t end);
  bool scan_fast(std::string_view text);
  bool scan_plain(std::string_view text);
  void make_room(size_t tokens) {
    if (used + tokens > made.size()) {
      made.resize(2 * (used + tokens) + 1024);
    }
  }
  void add_chunk(std::string_view text, size_t begin, size_t end, uint8_t space, const Planned& planned);
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
                                   const Planned& planned) {
  const size_t size = end - begin;
  Known* const slot = planned.slot;
  if (slot != nullptr && slot->size == size && slot->text == planned.key) {
    if (slot->respelled) {
      respelled.push_back(static_cast<uint32_t>(used));
    }
    make_room(Known::kMaxTokens);
    WebToken* token = made.data() + used;
    auto at = static_cast<uint32_t>(begin);
    const size_t tokens = slot->tokens;
    for (size_t i = 0; i < tokens; ++i) {
      token[i] = {at, slot->sizes[i], slot->chars[i], slot->flags[i]};
      at += slot->sizes[i];
    }
    token[0].flags |= space;
    used += tokens;
    return;
  }
  const std::string_view chunk = text.substr(begin, size);
  rules.cut(chunk, true, pieces, infixes, suffixes);
  const bool special = pieces.size() > 1 || rules.token_number(chunk) != 0;
  const bool respell_needed = special && spells_special(chunk);
  if (respell_needed) {
    respelled.push_back(static_cast<uint32_t>(used));
  }
  make_room(pieces.size());
  WebToken* const token = made.data() + used;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    token[i] = {static_cast<uint32_t>(begin) + piece.begin, piece.size, 0, 0};
    describe(chunk.substr(piece.begin, piece.size), chars, token[i].chars, token[i].flags);
  }
  used += pieces.size();
  if (slot != nullptr && pieces.size() <= Known::kMaxTokens) {
    slot->text = planned.key;
    slot->size = static_cast<uint8_t>(size);
    slot->tokens = static_cast<uint8_t>(pieces.size());
    slot->respelled = respell_needed;
    for (size_t i = 0; i < pieces.size(); ++i) {
      slot->sizes[i] = static_cast<uint8_t>(pieces[i].size);
      slot->chars[i] = static_cast<uint8_t>(token[i].chars);
      slot->flags[i] = token[i].flags;
    }
  }
  if (!pieces.empty()) {
    token[0].flags |= space;
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

namespace {

// What the first token of a chunk says of the gap [begin, end) before it: spaCy keeps one plain space with the token before
// it, all other white space is a token.
uint8_t gap_flags(std::string_view text, size_t begin, size_t end) noexcept {
  const bool token = end > begin && (begin == 0 || end - begin > 1 || text[begin] != ' ');
  return static_cast<uint8_t>(kTokenChunkStart | (token ? kTokenSpaceBefore : 0));
}

}  // namespace

// Letters, or letters and one sign, are most of a text; of the others the cache is asked, whose memory is fetched meanwhile.
EnglishWords::Impl::Planned EnglishWords::Impl::plan(std::string_view text, uint32_t begin, uint32_t end) {
  Planned planned;
  const uint32_t size = end - begin;
  planned.letters = static_cast<uint32_t>(chunks.letter_run(begin));
  const std::string_view word(text.data() + begin, planned.letters);
  if (planned.letters + 1 >= size && planned.letters > 0 && size < 64 && !rules.may_cut_letters(word)) {
    const char sign = text[end - 1];
    if (planned.letters == size) {
      planned.kind = Kind::kWord;
    } else if (kSignFlags[static_cast<unsigned char>(sign)] != 0 && (sign != '.' || !rules.may_keep_dot(word))) {
      planned.kind = Kind::kWordAndSign;
    }
  }
  if (planned.kind == Kind::kOther && size <= kShortBytes) {
    planned.key = short_text(text, begin, size);
    planned.slot = &known[planned.key.hash() & (kKnown - 1)];
    __builtin_prefetch(planned.slot);
  }
  return planned;
}

// Both return whether white space that is a token ends the text.
bool EnglishWords::Impl::scan_fast(std::string_view text) {
  constexpr size_t kAhead = 32;  // chunks that are planned before the first of them is cut
  chunks.find(text);
  const std::span<const uint32_t> edges = chunks.edges();
  std::array<Planned, kAhead> plans;
  size_t last = 0;  // the end of the chunk before
  for (size_t first = 0; first < edges.size(); first += 2 * kAhead) {
    const size_t count = std::min(kAhead, (edges.size() - first) / 2);
    for (size_t i = 0; i < count; ++i) {
      plans[i] = plan(text, edges[first + 2 * i], edges[first + 2 * i + 1]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint32_t begin = edges[first + 2 * i];
      const uint32_t end = edges[first + 2 * i + 1];
      const uint8_t space = gap_flags(text, last, begin);
      const Planned& planned = plans[i];
      last = end;
      if (planned.kind == Kind::kOther) {
        add_chunk(text, begin, end, space, planned);
        continue;
      }
      make_room(2);
      made[used] = {begin, planned.letters, planned.letters, static_cast<uint8_t>(kLetterWord | space)};
      made[used + 1] = {end - 1, 1, 1, kSignFlags[static_cast<unsigned char>(text[end - 1])]};
      used += planned.kind == Kind::kWord ? 1 : 2;
    }
  }
  return last < text.size() && (gap_flags(text, last, text.size()) & kTokenSpaceBefore) != 0;
}

bool EnglishWords::Impl::scan_plain(std::string_view text) {
  const auto space_size = [&](size_t at) -> size_t {
    const Decoded d = decode_at(text, at);
    return (chars(d.code) & kWebSpace) != 0 ? d.size : 0;
  };
  for (size_t at = 0; at < text.size();) {
    const size_t gap = at;
    while (at < text.size() && space_size(at) != 0) {
      at += space_size(at);
    }
    const uint8_t space = gap_flags(text, gap, at);
    if (at == text.size()) {
      return (space & kTokenSpaceBefore) != 0;
    }
    const size_t begin = at;
    while (at < text.size() && space_size(at) == 0) {
      ++at;  // a byte inside a character begins no white space
    }
    add_chunk(text, begin, at, space, Planned());
  }
  return false;
}

EnglishWords::EnglishWords(Path path) : impl_(std::make_unique<Impl>(path)) {}
EnglishWords::~EnglishWords() = default;
EnglishWords::EnglishWords(EnglishWords&&) noexcept = default;
EnglishWords& EnglishWords::operator=(EnglishWords&&) noexcept = default;

bool EnglishWords::scan(std::string_view text, std::vector<WebToken>& tokens) {
  Impl& impl = *impl_;
  impl.used = 0;
  impl.respelled.clear();
  const bool ends_in_space = impl.path == Path::kFast ? impl.scan_fast(text) : impl.scan_plain(text);
  tokens.assign(impl.made.begin(), impl.made.begin() + static_cast<std::ptrdiff_t>(impl.used));
  if (!impl.respelled.empty()) {
    impl.respell(text, tokens);
  }
  return ends_in_space;
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
