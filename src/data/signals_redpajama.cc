// RedPajama-V2's quality signals. Normalised text: no ASCII punctuation, lower case, single spaces, NFD; raw words are
// NLTK's WordPunct (\w+ or runs of other characters). Numbers are rounded to eight decimals, as there.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

#include "data/signals.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 10> kBullets = {"\xE2\x80\xA2", "\xE2\x80\xA3", "\xE2\x96\xB6", "\xE2\x97\x80",
                                                       "\xE2\x97\xA6", "\xE2\x96\xA0", "\xE2\x96\xA1", "\xE2\x96\xAA",
                                                       "\xE2\x96\xAB", "\xE2\x80\x93"};

// Python's round(value, 8).
double rounded(double value) { return std::strtod(fmt::format("{:.8f}", value).c_str(), nullptr); }
double ratio(uint64_t part, uint64_t whole) { return rounded(static_cast<double>(part) / static_cast<double>(whole)); }

bool is_ascii_punctuation(char c) noexcept {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

void normalise(std::string_view text, std::string& out) {
  std::string bare;
  bare.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(bare), [](char c) { return !is_ascii_punctuation(c); });
  if (is_ascii(bare)) {
    lower_ascii(bare, bare);
  } else {
    bare = text::python::lower(bare);
  }
  out.clear();
  const text::WebChars& chars = text::WebChars::get();
  bool space = false;
  for (size_t at = 0; at < bare.size();) {
    const text::Decoded d = text::decode_at(bare, at);
    if ((chars(d.code) & text::kWebSpace) != 0) {
      space = true;
    } else {
      if (space && !out.empty()) {
        out += ' ';
      }
      space = false;
      out.append(bare, at, d.size);
    }
    at += d.size;
  }
  if (!is_ascii(out)) {
    out = text::normalize(out, text::NormalForm::kNfd);
  }
}

// Words of normalised text. A character that NFD makes of others is no white space, so single spaces are the only ones.
void fill_normal_words(std::string_view text, WordList& words) {
  words.clear();
  for (const std::string_view word : text::python::split(text, std::nullopt, -1, false)) {
    words.add(word, static_cast<uint32_t>(count_chars(word)));
  }
  words.close();
}

struct RawWords {
  uint64_t count = 0;
  uint64_t no_alpha = 0;
  uint64_t caps = 0;
  uint64_t stop = 0;
};

RawWords raw_words(std::string_view text, const BadWords& stop_words) {
  const text::WebChars& chars = text::WebChars::get();
  RawWords found;
  size_t begin = 0;
  uint32_t kind = 0;  // 0: none, 1: \w, 2: neither \w nor white space
  uint32_t any = 0;
  bool latin = false;
  bool title = false;
  const auto close = [&](size_t end) {
    if (kind == 0) {
      return;
    }
    ++found.count;
    found.no_alpha += static_cast<uint64_t>(!latin);
    found.caps +=
        static_cast<uint64_t>((any & text::kWebUpper) != 0 && (any & text::kWebLower) == 0 && !title);
    const std::string_view word = text.substr(begin, end - begin);
    const std::span<const std::string> list = stop_words.words();
    found.stop +=
        static_cast<uint64_t>(!list.empty() && std::binary_search(list.begin(), list.end(), word, std::less<>()));
  };
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    const uint32_t classes = chars(d.code);
    const uint32_t now = (classes & text::kWebWord) != 0 ? 1 : (classes & text::kWebSpace) != 0 ? 0 : 2;
    if (now != kind) {
      close(at);
      kind = now;
      begin = at;
      any = 0;
      latin = false;
      title = false;
    }
    any |= classes;
    title = title || (classes & (text::kWebUpper | text::kWebTitle)) == text::kWebTitle;  // a capital with a small letter
    latin = latin || (d.code < 0x80 && (classes & text::kWebAlpha) != 0);
    at += d.size;
  }
  close(text.size());
  return found;
}

// Matches of \b[^.!?]+[.!?]*: a sentence begins at a border of a word and goes on behind the marks that end it.
uint64_t count_sentence_matches(std::string_view text) {
  const text::WebChars& chars = text::WebChars::get();
  const auto is_end = [](char c) { return c == '.' || c == '!' || c == '?'; };
  uint64_t count = 0;
  bool word_before = false;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    const bool word = (chars(d.code) & text::kWebWord) != 0;
    const bool starts = word != word_before && !is_end(text[at]);
    if (!starts) {
      word_before = word;
      at += d.size;
      continue;
    }
    ++count;
    size_t end = at;
    while (end < text.size() && !is_end(text[end])) {
      ++end;
    }
    while (end < text.size() && is_end(text[end])) {
      ++end;
    }
    size_t last = end - 1;
    while (last > at && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80) {
      --last;
    }
    word_before = (chars(text::decode_at(text, last).code) & text::kWebWord) != 0;
    at = end;
  }
  return count;
}

void line_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  const text::WebChars& chars = text::WebChars::get();
  split_newlines(text, scratch.lines);
  if (!scratch.lines.empty() && scratch.lines.back().empty()) {
    scratch.lines.pop_back();  // a line is what a line feed ends, or what is left
  }
  const size_t count = scratch.lines.size();
  out[Signal::kRpsLines] = static_cast<double>(count);
  if (count == 0) {
    return;
  }
  uint64_t terminal = 0;
  uint64_t bullets = 0;
  uint64_t ellipses = 0;
  uint64_t words = 0;
  uint64_t javascript = 0;
  double upper_sum = 0;
  double numeric_sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view line = scratch.lines[i];
    const std::string_view end = strip_right(line);
    terminal += static_cast<uint64_t>(end.ends_with('.') || end.ends_with('!') || end.ends_with('?') ||
                                      end.ends_with("\xE2\x80\x9D"));
    ellipses += static_cast<uint64_t>(end.ends_with("...") || end.ends_with("\xE2\x80\xA6"));
    const std::string_view start = strip_left(line);
    bullets += static_cast<uint64_t>(std::any_of(kBullets.begin(), kBullets.end(),
                                                 [&](std::string_view bullet) { return start.starts_with(bullet); }));
    const bool has_feed = line.data() + line.size() < text.data() + text.size();  // which counts as a character
    const uint64_t chars_of_line = count_chars(line) + static_cast<uint64_t>(has_feed);
    uint64_t upper = 0;
    for (size_t at = 0; at < line.size();) {
      const text::Decoded d = text::decode_at(line, at);
      upper += static_cast<uint64_t>((chars(d.code) & text::kWebUpper) != 0);
      at += d.size;
    }
    upper_sum += chars_of_line == 0 ? 0 : ratio(upper, chars_of_line);
    normalise(line, scratch.buffer);
    uint64_t numeric = 0;
    for (size_t at = 0; at < scratch.buffer.size();) {
      const text::Decoded d = text::decode_at(scratch.buffer, at);
      numeric += static_cast<uint64_t>((chars(d.code) & text::kWebNumeric) != 0);
      at += d.size;
    }
    numeric_sum += scratch.buffer.empty() ? 0 : ratio(numeric, count_chars(scratch.buffer));
    for (const std::string_view word : text::python::split(scratch.buffer, std::nullopt, -1, false)) {
      ++words;
      javascript += static_cast<uint64_t>(word == "javascript");
    }
  }
  const auto lines = static_cast<double>(count);
  out[Signal::kRpsEllipsisLines] = ratio(ellipses, count);
  out[Signal::kRpsLineTerminal] = static_cast<double>(terminal) / lines;
  out[Signal::kRpsLineBullet] = static_cast<double>(bullets) / lines;
  out[Signal::kRpsLineJavascript] = static_cast<double>(javascript) / lines;
  out[Signal::kRpsLineWords] = static_cast<double>(words) / lines;
  out[Signal::kRpsLineUpper] = upper_sum / lines;
  out[Signal::kRpsLineNumeric] = numeric_sum / lines;
}

void ngram_signals(SignalScratch& scratch, Signals& out) {
  const WordList& words = scratch.words;
  Ngrams& ngrams = scratch.ngrams;
  ngrams.start(words);
  const uint64_t count = words.size();
  if (count > 0) {
    out[Signal::kRpsUniqueWords] = ratio(ngrams.kinds(), count);
    double entropy = 0;
    for (size_t i = 0; i < ngrams.kinds(); ++i) {
      const double share = static_cast<double>(ngrams.kind(i).count) / static_cast<double>(count);
      entropy += -share * std::log(share);
    }
    out[Signal::kRpsEntropy] = rounded(entropy);
  }
  for (size_t n = 2; n <= 10; ++n) {
    ngrams.advance();
    uint64_t chars = 0;
    if (n <= 4) {
      const Ngrams::Class top = ngrams.total() > 0 ? ngrams.top() : Ngrams::Class{0, 0};
      chars = top.count > 1 ? words.chars(top.first, n) * top.count : 0;
    } else {
      size_t covered = 0;
      for (const uint32_t position : ngrams.repeated()) {
        const size_t from = std::max<size_t>(covered, position);
        chars += words.chars(from, position + n - from);
        covered = position + n;
      }
    }
    const Signal signal = n <= 4 ? signal_after(Signal::kRpsTop2, n - 2) : signal_after(Signal::kRpsDup5, n - 5);
    out[signal] = chars == 0 ? 0 : ratio(chars, words.chars());
  }
}

// Occurrences of the list's entries as rows of normalised words.
uint64_t count_bad_words(const WordList& words, const BadWords& bad_words) {
  uint64_t count = 0;
  std::string row;
  for (const std::string& entry : bad_words.words()) {
    const auto n = static_cast<size_t>(std::count(entry.begin(), entry.end(), ' ')) + 1;
    for (size_t i = 0; i + n <= words.size(); ++i) {
      if (words.word(i).empty() || words.word(i).front() != entry.front()) {
        continue;
      }
      row.clear();
      for (size_t k = 0; k < n; ++k) {
        row += k == 0 ? "" : " ";
        row += words.word(i + k);
      }
      count += static_cast<uint64_t>(row == entry);
    }
  }
  return count;
}

}  // namespace

void redpajama_signals(std::string_view text, const BadWords& bad_words, const BadWords& stop_words,
                       SignalScratch& scratch, Signals& out) {
  line_signals(text, scratch, out);
  const RawWords raw = raw_words(text, stop_words);
  if (raw.count > 0) {
    out[Signal::kRpsSymbolRatio] =
        ratio(count_of(text, "#") + count_of(text, "...") + count_of(text, "\xE2\x80\xA6"), raw.count);
    out[Signal::kRpsNoAlphaWords] =
        rounded(1.0 - static_cast<double>(raw.count - raw.no_alpha) / static_cast<double>(raw.count));
    out[Signal::kRpsCapsWords] = ratio(raw.caps, raw.count);
  }
  out[Signal::kRpsSentences] = static_cast<double>(count_sentence_matches(text));
  const uint64_t chars = count_chars(text);
  const uint64_t brackets = count_of(text, "{") + count_of(text, "}");
  out[Signal::kRpsCurlyBracket] = brackets == 0 ? 0 : ratio(brackets, chars);

  std::string normal;
  normalise(text, normal);
  const size_t lorem = count_of(normal, "lorem ipsum");
  out[Signal::kRpsLoremIpsum] = lorem == 0 ? 0 : ratio(lorem, count_chars(normal));
  fill_normal_words(normal, scratch.words);
  const uint64_t words = scratch.words.size();
  out[Signal::kRpsWords] = static_cast<double>(words);
  if (words > 0) {
    out[Signal::kRpsMeanWordLength] = ratio(scratch.words.chars(), words);
  }
  if (!stop_words.empty()) {
    out[Signal::kRpsStopWords] = words == 0 || raw.count == 0 ? 0 : ratio(raw.stop, raw.count);
  }
  if (!bad_words.empty()) {
    out[Signal::kRpsBadWords] = static_cast<double>(count_bad_words(scratch.words, bad_words));
  }
  ngram_signals(scratch, out);
}

}  // namespace slipway::data
