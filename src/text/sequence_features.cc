#include "text/sequence_features.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "text/feature_hash.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

enum Kind : uint8_t { kEdge, kDigit, kLetter, kNumeral, kHan, kPunctuation, kOther };

Kind kind_of(char32_t c) noexcept {
  if (c < 0x80) {
    if (c >= '0' && c <= '9') {
      return kDigit;
    }
    const char32_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'z' ? kLetter : kPunctuation;
  }
  if (c >= 0x4E00 && c <= 0x9FFF) {
    constexpr std::u32string_view kNumerals = U"一二三四五六七八九十百千万亿两零";
    return kNumerals.find(c) != std::u32string_view::npos ? kNumeral : kHan;
  }
  if (is_cjk_ideograph(c)) {
    return kHan;
  }
  if (c == 0x3007) {
    return kNumeral;
  }
  if (is_letter(c)) {
    return kLetter;
  }
  return is_number(c) ? kDigit : is_punctuation(c) ? kPunctuation : kOther;
}

// Full-width forms as their ASCII kin; letters without case.
char32_t plain(char32_t c) noexcept {
  if (c >= 0xFF01 && c <= 0xFF5E) {
    c -= 0xFEE0;
  }
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

void mark_features(std::span<const LexiconMark> marks, size_t i, uint64_t first, uint64_t token, std::vector<uint64_t>& out) {
  const auto place = [&](size_t at) -> uint64_t { return at < marks.size() ? marks[at].place : 9; };  // i - 1 wraps: an edge
  const LexiconMark& mark = marks[i];
  const uint64_t fits = uint64_t{mark.begins} * 64 + mark.ends * 8 + mark.inside;
  out.push_back(feature(first, place(i)));
  out.push_back(feature(first + 1, place(i - 1), place(i)));
  out.push_back(feature(first + 2, place(i), place(i + 1)));
  out.push_back(feature(first + 3, place(i - 1), place(i), place(i + 1)));
  out.push_back(feature(first + 4, place(i), token));
  out.push_back(feature(first + 5, fits));
  out.push_back(feature(first + 6, fits, place(i)));
  out.push_back(feature(first + 7, i > 0 ? marks[i - 1].ends : 9, mark.begins));
  out.push_back(feature(first + 8, i > 0 ? marks[i - 1].begins * 64 + marks[i - 1].ends * 8 + marks[i - 1].inside : 999, fits));
}

// The words of the segmenter before and after each position's.
void find_neighbours(std::span<const LexiconMark> marks, FeatureScratch& scratch) {
  const auto begins = [](const LexiconMark& mark) { return mark.place == 0 || mark.place == 3; };
  const size_t n = marks.size();
  scratch.before.resize(n);
  scratch.after.resize(n);
  uint64_t before = 1;
  for (size_t i = 0; i < n; ++i) {
    before = i > 0 && begins(marks[i]) ? marks[i - 1].word : before;
    scratch.before[i] = before;
  }
  uint64_t after = 2;
  for (size_t i = n; i-- > 0;) {
    after = i + 1 < n && begins(marks[i + 1]) ? marks[i + 1].word : after;
    scratch.after[i] = after;
  }
}

}  // namespace

void character_features(std::u32string_view characters, std::span<const LexiconMark> marks, FeatureScratch& scratch, FeatureList& out) {
  const size_t n = characters.size();
  out.clear();
  scratch.codes.assign(n + 4, 0);  // two before, two after
  scratch.kinds.assign(n + 4, kEdge);
  find_neighbours(marks, scratch);
  for (size_t i = 0; i < n; ++i) {
    scratch.codes[i + 2] = plain(characters[i]);
    scratch.kinds[i + 2] = kind_of(scratch.codes[i + 2]);
  }
  std::vector<uint64_t>& f = out.hashes;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t* const c = scratch.codes.data() + i + 2;
    const uint8_t* const k = scratch.kinds.data() + i + 2;
    f.push_back(feature(0, c[-2]));
    f.push_back(feature(1, c[-1]));
    f.push_back(feature(2, c[0]));
    f.push_back(feature(3, c[1]));
    f.push_back(feature(4, c[2]));
    f.push_back(feature(5, c[-2], c[-1]));
    f.push_back(feature(6, c[-1], c[0]));
    f.push_back(feature(7, c[0], c[1]));
    f.push_back(feature(8, c[1], c[2]));
    f.push_back(feature(9, c[-1], c[1]));
    f.push_back(feature(10, c[-1], c[0], c[1]));
    f.push_back(feature(11, c[-2], c[-1], c[0]));
    f.push_back(feature(12, c[0], c[1], c[2]));
    f.push_back(feature(13, uint64_t{k[-1]} * 64 + k[0] * 8 + k[1]));
    f.push_back(feature(14, uint64_t{k[-2]} * 4096 + k[-1] * 512 + k[0] * 64 + k[1] * 8 + k[2]));
    // A character that comes again: 高高兴兴, 看一看.
    f.push_back(feature(15, uint64_t{c[0] == c[-1]} * 8 + uint64_t{c[0] == c[-2]} * 4 + uint64_t{c[0] == c[1]} * 2 + uint64_t{c[0] == c[2]}));
    if (!marks.empty()) {
      mark_features(marks, i, 20, c[0], f);
      f.push_back(feature(30, marks[i].word, marks[i].place));
      f.push_back(feature(31, scratch.before[i], marks[i].word, marks[i].place));
      f.push_back(feature(32, marks[i].word, scratch.after[i], marks[i].place));
      f.push_back(feature(33, scratch.before[i], marks[i].place));
      f.push_back(feature(34, scratch.after[i], marks[i].place));
    }
    out.begins.push_back(static_cast<uint32_t>(f.size()));
  }
}

namespace {

// Attributes of a token, hashed once and used at several places.
enum Attribute : size_t { kWord, kLower, kShape, kPrefix1, kPrefix2, kPrefix3, kPrefix4, kSuffix1, kSuffix2, kSuffix3, kSuffix4, kSuffix5, kFlags, kAttributes };

void append_shape(char32_t c, std::string& shape) {
  char s = 'o';
  switch (kind_of(c)) {
    case kDigit: s = 'd'; break;
    case kLetter: s = is_upper(c) ? 'X' : 'x'; break;
    case kNumeral: s = 'n'; break;
    case kHan: s = 'h'; break;
    case kPunctuation: s = static_cast<char>(c < 0x80 ? c : 'p'); break;
    default: break;
  }
  // Runs count up to three: "Xxx", "dddd" and "ddd" are of a kind, "dd" is not.
  const size_t n = shape.size();
  if (n < 3 || shape[n - 1] != s || shape[n - 2] != s || shape[n - 3] != s) {
    shape += s;
  }
}

void attributes_of(std::string_view token, std::u32string& lower, std::string& shape, uint64_t* out) {
  lower.clear();
  shape.clear();
  bool upper = false;
  bool digit = false;
  bool hyphen = false;
  for (size_t at = 0; at < token.size();) {
    const Decoded d = decode_at(token, at);
    at += d.size;
    lower += to_lower(d.code);
    append_shape(d.code, shape);
    upper |= is_upper(d.code);
    digit |= kind_of(d.code) == kDigit;
    hyphen |= d.code == '-';
  }
  const auto hash = [&](size_t begin, size_t end) {
    return base::xxh64({reinterpret_cast<const char*>(lower.data() + begin), (end - begin) * sizeof(char32_t)}, end == lower.size() ? 2 : 1);
  };
  const size_t n = lower.size();
  out[kWord] = base::xxh64(token);
  out[kLower] = hash(0, n);
  out[kShape] = base::xxh64(shape);
  for (size_t length = 1; length <= 4; ++length) {
    out[kPrefix1 + length - 1] = n > length ? hash(0, length) : 0;
  }
  for (size_t length = 1; length <= 5; ++length) {
    out[kSuffix1 + length - 1] = n > length ? hash(n - length, n) : 0;
  }
  out[kFlags] = uint64_t{upper} * 4 + uint64_t{digit} * 2 + uint64_t{hyphen} + std::min<uint64_t>(n, 4) * 8;
}

// The attributes of the tokens around one.
class Window {
 public:
  Window(const std::vector<uint64_t>& table, size_t i) : table_(table.data() + (i + 2) * kAttributes) {}
  uint64_t operator()(std::ptrdiff_t offset, Attribute attribute) const noexcept {
    return table_[offset * static_cast<std::ptrdiff_t>(kAttributes) + static_cast<std::ptrdiff_t>(attribute)];
  }

 private:
  const uint64_t* table_;
};

void own_parts(const Window& w, uint64_t first, std::vector<uint64_t>& f) {
  for (size_t a = kPrefix1; a <= kSuffix5; ++a) {
    if (const uint64_t part = w(0, static_cast<Attribute>(a)); part != 0) {
      f.push_back(feature(first + a, part));
    }
  }
  f.push_back(feature(first, w(0, kFlags)));
}

void pos_features(const Window& w, std::vector<uint64_t>& f) {
  f.push_back(feature(100, w(0, kWord)));
  f.push_back(feature(101, w(0, kLower)));
  f.push_back(feature(102, w(-1, kLower)));
  f.push_back(feature(103, w(1, kLower)));
  f.push_back(feature(104, w(-2, kLower)));
  f.push_back(feature(105, w(2, kLower)));
  f.push_back(feature(106, w(-1, kLower), w(0, kLower)));
  f.push_back(feature(107, w(0, kLower), w(1, kLower)));
  f.push_back(feature(108, w(-1, kLower), w(1, kLower)));
  f.push_back(feature(109, w(-2, kLower), w(-1, kLower)));
  f.push_back(feature(110, w(1, kLower), w(2, kLower)));
  own_parts(w, 120, f);
  f.push_back(feature(140, w(0, kShape)));
  f.push_back(feature(141, w(-1, kShape), w(0, kShape)));
  f.push_back(feature(142, w(0, kShape), w(1, kShape)));
  f.push_back(feature(143, w(-1, kSuffix3)));
  f.push_back(feature(144, w(1, kSuffix3)));
  f.push_back(feature(145, w(-1, kSuffix3), w(0, kSuffix3)));
  f.push_back(feature(146, w(0, kSuffix3), w(1, kSuffix3)));
  f.push_back(feature(147, w(1, kSuffix2)));
  f.push_back(feature(148, w(-1, kSuffix2)));
  f.push_back(feature(149, w(0, kSuffix2), w(-1, kLower)));
  f.push_back(feature(150, w(0, kSuffix2), w(1, kLower)));
}

void entity_features(const Window& w, std::vector<uint64_t>& f) {
  for (std::ptrdiff_t o = -2; o <= 2; ++o) {
    const auto place = static_cast<uint64_t>(o + 2);
    f.push_back(feature(200 + place, w(o, kWord)));
    f.push_back(feature(205 + place, w(o, kShape)));
    if (o != 0) {
      f.push_back(feature(210 + place, w(o, kSuffix3)));
      f.push_back(feature(215 + place, w(o, kPrefix3)));
    }
  }
  f.push_back(feature(220, w(0, kLower)));
  f.push_back(feature(221, w(-1, kLower)));
  f.push_back(feature(222, w(1, kLower)));
  f.push_back(feature(223, w(-1, kWord), w(0, kWord)));
  f.push_back(feature(224, w(0, kWord), w(1, kWord)));
  f.push_back(feature(225, w(-1, kWord), w(1, kWord)));
  f.push_back(feature(226, w(-2, kWord), w(-1, kWord)));
  f.push_back(feature(227, w(1, kWord), w(2, kWord)));
  f.push_back(feature(228, w(-1, kWord), w(0, kWord), w(1, kWord)));
  f.push_back(feature(229, w(-2, kWord), w(-1, kWord), w(0, kWord)));
  f.push_back(feature(230, w(0, kWord), w(1, kWord), w(2, kWord)));
  own_parts(w, 240, f);
  f.push_back(feature(260, w(-1, kShape), w(0, kShape)));
  f.push_back(feature(261, w(0, kShape), w(1, kShape)));
  f.push_back(feature(262, w(-1, kShape), w(0, kShape), w(1, kShape)));
  f.push_back(feature(263, w(-1, kLower), w(0, kShape)));
  f.push_back(feature(264, w(0, kShape), w(1, kLower)));
  f.push_back(feature(265, w(-2, kLower), w(-1, kLower), w(0, kShape)));
  f.push_back(feature(266, w(0, kShape), w(1, kLower), w(2, kLower)));
}

void lemma_features(const Window& w, uint64_t tag, std::vector<uint64_t>& f) {
  f.push_back(feature(300, w(0, kWord)));
  f.push_back(feature(301, w(0, kWord), tag));
  f.push_back(feature(302, w(0, kLower), tag));
  f.push_back(feature(303, tag));
  f.push_back(feature(304, w(0, kShape), tag));
  f.push_back(feature(305, w(-1, kLower), tag));
  own_parts(w, 320, f);
  for (size_t a = kSuffix1; a <= kSuffix5; ++a) {
    f.push_back(feature(340 + a, w(0, static_cast<Attribute>(a)), tag));
  }
}

}  // namespace

void token_features(SequenceTask task, std::span<const std::string_view> tokens, std::span<const std::string_view> tags,
                    std::span<const LexiconMark> marks, FeatureScratch& scratch, FeatureList& out) {
  const size_t n = tokens.size();
  out.clear();
  find_neighbours(marks, scratch);
  // Two tokens before and two after that are no tokens: 1 .. 4 in each attribute.
  scratch.words.assign((n + 4) * kAttributes, 0);
  for (const size_t edge : {size_t{0}, size_t{1}, n + 2, n + 3}) {
    std::fill_n(scratch.words.begin() + static_cast<std::ptrdiff_t>(edge * kAttributes), kAttributes, edge < 2 ? edge + 1 : edge - n + 1);
  }
  std::u32string lower;
  std::string shape;
  for (size_t i = 0; i < n; ++i) {
    attributes_of(tokens[i], lower, shape, scratch.words.data() + (i + 2) * kAttributes);
  }
  for (size_t i = 0; i < n; ++i) {
    const Window w(scratch.words, i);
    switch (task) {
      case SequenceTask::kPos: pos_features(w, out.hashes); break;
      case SequenceTask::kLemma: lemma_features(w, tags.empty() ? 0 : base::xxh64(tags[i]), out.hashes); break;
      default: entity_features(w, out.hashes); break;
    }
    if (!marks.empty()) {
      mark_features(marks, i, 400, w(0, kWord), out.hashes);
      out.hashes.push_back(feature(410, marks[i].word));
      out.hashes.push_back(feature(411, marks[i].word, marks[i].place));
      out.hashes.push_back(feature(412, scratch.before[i], marks[i].place));
      out.hashes.push_back(feature(413, scratch.after[i], marks[i].place));
    }
    out.begins.push_back(static_cast<uint32_t>(out.hashes.size()));
  }
}

}  // namespace slipway::text
