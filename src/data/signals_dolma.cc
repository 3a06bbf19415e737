// dolma's taggers gopher_v1, gopher_v2, c4_v1 and c4_v2: words are what str.split gives, n-grams are rows of such
// words.
#include <algorithm>
#include <array>

#include "data/signals.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 8> kRequired = {"the", "be", "to", "of", "and", "that", "have", "with"};
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

double ratio(uint64_t part, uint64_t whole) noexcept {
  return static_cast<double>(part) / static_cast<double>(std::max<uint64_t>(whole, 1));
}

struct WordFacts {
  uint64_t with_symbol = 0;
  uint64_t with_alpha = 0;
  uint64_t required = 0;
};

// Splits `text` at white space into scratch.words and scratch.lengths.
WordFacts split_words(std::string_view text, SignalScratch& scratch) {
  const text::WebChars& chars = text::WebChars::get();
  WordFacts facts;
  scratch.words.clear();
  scratch.lengths.clear();
  size_t begin = 0;
  uint32_t length = 0;
  uint32_t any = 0;
  bool symbol = false;
  const auto close = [&](size_t end) {
    if (length > 0) {
      const std::string_view word = text.substr(begin, end - begin);
      scratch.words.add(word, length);
      scratch.lengths.push_back(length);
      facts.with_symbol += static_cast<uint64_t>(symbol);
      facts.with_alpha += static_cast<uint64_t>((any & text::kWebAlpha) != 0);
      facts.required += static_cast<uint64_t>(word.size() <= 4 &&
                                              std::find(kRequired.begin(), kRequired.end(), word) != kRequired.end());
    }
    length = 0;
    any = 0;
    symbol = false;
  };
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    uint32_t size = 1;
    char32_t code = byte;
    uint32_t classes = 0;
    if (byte < 0x80) {
      classes = chars.ascii(byte);
    } else {
      const text::Decoded d = text::decode_at(text, at);
      size = d.size;
      code = d.code;
      classes = chars(code);
    }
    if ((classes & text::kWebSpace) != 0) {
      close(at);
    } else {
      begin = length == 0 ? at : begin;
      ++length;
      any |= classes;
      symbol = symbol || code == '#' || code == 0x2026;
    }
    at += size;
  }
  close(text.size());
  scratch.words.close();
  return facts;
}

double median(std::vector<uint32_t>& lengths) {
  if (lengths.empty()) {
    return 0;
  }
  const size_t half = lengths.size() / 2;
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(half);
  std::nth_element(lengths.begin(), middle, lengths.end());
  if (lengths.size() % 2 == 1) {
    return *middle;
  }
  return (static_cast<double>(*std::max_element(lengths.begin(), middle)) + static_cast<double>(*middle)) / 2;
}

void ngram_signals(SignalScratch& scratch, Signals& out) {
  const WordList& words = scratch.words;
  Ngrams& ngrams = scratch.ngrams;
  ngrams.start_pairs(words);
  for (size_t n = 2; n <= 10; ++n) {
    if (n > 2) {
      ngrams.advance();
    }
    if (ngrams.total() == 0) {
      return;
    }
    if (n <= 4) {
      const Ngrams::Class top = ngrams.top();
      out[signal_after(Signal::kDolmaTop2, n - 2)] = ratio(words.chars(top.first, n) * top.count, words.chars());
      continue;
    }
    uint64_t all = 0;
    for (size_t i = 0; i < ngrams.total(); ++i) {
      all += words.chars(i, n);
    }
    uint64_t repeated = 0;
    for (const uint32_t position : ngrams.repeated()) {
      repeated += words.chars(position, n);
    }
    out[signal_after(Signal::kDolmaDup5, n - 5)] = ratio(repeated, all);
  }
}

// The four of the lines; `first` is their first signal. v1 splits at each line feed, v2 at runs of them.
void line_signals(SignalScratch& scratch, Signal first, Signals& out) {
  uint64_t bullets = 0;
  uint64_t ellipses = 0;
  for (const std::string_view line : scratch.lines) {
    bullets += static_cast<uint64_t>(line.starts_with('*') || line.starts_with('-'));
    ellipses += static_cast<uint64_t>(line.ends_with(kEllipsis));
  }
  const CopyCounts duplicates = scratch.duplicates.all_copies(scratch.lines);
  const size_t lines = scratch.lines.size();
  out[first] = ratio(bullets, lines);
  out[signal_after(first, 1)] = ratio(ellipses, lines);
  out[signal_after(first, 2)] = ratio(duplicates.elements, lines);
  out[signal_after(first, 3)] = ratio(duplicates.chars, scratch.words.chars());
}

bool is_naughty(std::string_view lower, const BadWords& bad_words) {
  const std::span<const std::string> words = bad_words.words();
  for (const std::string& word : words) {
    if (word.find(' ') != std::string::npos && lower.find(word) != std::string_view::npos) {
      return true;
    }
  }
  for (const std::string_view word : text::python::split(lower, std::nullopt, -1, false)) {
    if (std::binary_search(words.begin(), words.end(), word, std::less<>())) {
      return true;
    }
  }
  return false;
}

void c4_tagger_signals(std::string_view text, const BadWords& bad_words, SignalScratch& scratch, Signals& out) {
  std::string lower;
  if (is_ascii(text)) {
    lower_ascii(text, lower);
  } else {
    lower = text::python::lower(text);
  }
  uint64_t unended = 0;
  uint64_t few = 0;
  bool javascript = false;
  split_newlines(lower, scratch.lines);
  for (const std::string_view raw : scratch.lines) {
    const std::string_view line = strip(raw);
    constexpr std::string_view kEnds = ".?!\"";
    unended += static_cast<uint64_t>(line.empty() || kEnds.find(line.back()) == std::string_view::npos);
    const std::vector<std::string_view> start = text::python::split(line, std::nullopt, 2, false);
    few += static_cast<uint64_t>(start.size() < 3);
    if (!javascript && line.find("javascript") != std::string_view::npos) {
      const std::vector<std::string_view> words = text::python::split(line, std::nullopt, -1, false);
      javascript = std::find(words.begin(), words.end(), "javascript") != words.end();
    }
  }
  out[Signal::kDolmaC4NoPunctuation] = static_cast<double>(unended);
  out[Signal::kDolmaC4FewWords] = static_cast<double>(few);
  out[Signal::kDolmaC4Javascript] = static_cast<double>(lower.find("javascript") != std::string::npos);
  out[Signal::kDolmaC4JavascriptWord] = static_cast<double>(javascript);
  out[Signal::kDolmaC4LoremIpsum] = static_cast<double>(lower.find("lorem ipsum") != std::string::npos);
  out[Signal::kDolmaC4CurlyBrace] = static_cast<double>(lower.find('{') != std::string::npos);
  out[Signal::kDolmaC4Lines] = static_cast<double>(scratch.lines.size());
  if (!bad_words.empty()) {
    out[Signal::kDolmaC4Naughty] = static_cast<double>(is_naughty(lower, bad_words));
  }
}

}  // namespace

void dolma_signals(std::string_view text, const BadWords& bad_words, SignalScratch& scratch, Signals& out) {
  const WordFacts facts = split_words(text, scratch);
  const uint64_t words = scratch.words.size();
  out[Signal::kDolmaChars] = static_cast<double>(count_chars(text));
  out[Signal::kDolmaWords] = static_cast<double>(words);
  out[Signal::kDolmaMedianWordLength] = median(scratch.lengths);
  out[Signal::kDolmaSymbolRatio] = ratio(facts.with_symbol, words);
  out[Signal::kDolmaAlphaWords] = ratio(facts.with_alpha, words);
  out[Signal::kDolmaRequiredWords] = static_cast<double>(facts.required);
  if (!text.empty()) {
    ngram_signals(scratch, out);
    split_newlines(text, scratch.lines);
    line_signals(scratch, Signal::kDolmaBulletLines, out);
    split_newline_runs(text, 1, scratch.lines);
    line_signals(scratch, Signal::kDolmaV2BulletLines, out);
  }
  for (size_t i = 0; text.empty() && i < 8; ++i) {  // of nothing there are no lines, and no share of them
    out[signal_after(Signal::kDolmaBulletLines, i)] = 0;
  }
  c4_tagger_signals(text, bad_words, scratch, out);
}

}  // namespace slipway::data
