// The heuristic filters of NeMo Curator for English. Words are what str.split gives; "sentences" are lines there.
#include <algorithm>
#include <array>

#include "data/signals.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 8> kCommon = {"the", "be", "to", "of", "and", "that", "have", "with"};
constexpr std::array<std::string_view, 12> kBullets = {"\xE2\x80\xA2", "\xE2\x80\xA3", "\xE2\x81\x83", "\xE2\x81\x8C",
                                                       "\xE2\x81\x8D", "\xE2\x88\x99", "\xE2\x97\x8B", "\xE2\x97\x8F",
                                                       "\xE2\x97\x98", "\xE2\x97\xA6", "\xE2\xA6\xBE", "\xE2\xA6\xBF"};
constexpr std::array<std::string_view, 8> kEllipses = {
    "...", "[...]", "\xE2\x80\xA6", "(...)", "[\xE2\x80\xA6]", "-\xC2\xBB", "read more..", "read more"};
// Of its longer phrases each holds one of these.
constexpr std::array<std::string_view, 11> kPolicies = {"terms of use",
                                                        "privacy policy",
                                                        "cookie policy",
                                                        "uses cookies",
                                                        "privacy overview",
                                                        "use of cookies",
                                                        "use cookies",
                                                        "privacy & cookies policy",
                                                        "privacy and cookies policy",
                                                        "necessary cookies are absolutely essential for the website to "
                                                        "function properly. this category only includes cookies that "
                                                        "ensures basic functionalities and security features of the "
                                                        "website. these cookies do not store any personal information.",
                                                        "any cookies that may not be particularly necessary for the "
                                                        "website to function and is used specifically to collect user "
                                                        "personal data via analytics, ads, other embedded contents are "
                                                        "termed as non-necessary cookies. it is mandatory to procure "
                                                        "user consent prior to running these cookies on your website."};
constexpr std::string_view kBrowse =
    "if you continue to browse this site without changing your cookie settings, you agree to this use. acceptread more";

double ratio(uint64_t part, uint64_t whole) noexcept { return static_cast<double>(part) / static_cast<double>(whole); }

bool ends_with_any(std::string_view text, std::span<const std::string_view> ends) noexcept {
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return text.ends_with(end); });
}

// Characters of https?://… by NeMo's expression.
uint64_t url_chars(std::string_view text) noexcept {
  const auto in_url = [](char c) {
    constexpr std::string_view kSigns = "$-_@.&+/:=?#~!*(),";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  };
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  uint64_t count = 0;
  for (size_t at = text.find("http"); at != std::string_view::npos; at = text.find("http", at)) {
    size_t end = at + 4;
    end += static_cast<size_t>(end < text.size() && text[end] == 's');
    if (!text.substr(std::min(end, text.size())).starts_with("://")) {
      at += 4;
      continue;
    }
    end += 3;
    const size_t body = end;
    while (end < text.size()) {
      if (in_url(text[end])) {
        ++end;
      } else if (text[end] == '%' && end + 2 < text.size() && is_hex(text[end + 1]) && is_hex(text[end + 2])) {
        end += 3;
      } else {
        break;
      }
    }
    if (end == body) {
      at += 4;
      continue;
    }
    count += end - at;
    at = end;
  }
  return count;
}

struct CharCounts {
  uint64_t chars = 0;
  uint64_t plain = 0;  // [a-zA-Z0-9\n?!,.]
  uint64_t digits = 0;
  uint64_t white = 0;
  uint64_t parentheses = 0;
};

CharCounts count_kinds(std::string_view text) {
  const text::WebChars& chars = text::WebChars::get();
  CharCounts counts;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    const uint32_t classes = chars(d.code);
    ++counts.chars;
    counts.digits += static_cast<uint64_t>((classes & text::kWebDecimal) != 0);
    if (d.code < 0x80) {
      const auto c = static_cast<char>(d.code);
      counts.plain += static_cast<uint64_t>((classes & (text::kWebAlpha | text::kWebDecimal)) != 0 || c == '\n' ||
                                            c == '?' || c == '!' || c == ',' || c == '.');
      counts.white += static_cast<uint64_t>(c == '\t' || c == '\n' || c == '\r' || c == '\b' || c == ' ');
      counts.parentheses += static_cast<uint64_t>(c == '{' || c == '}' || c == '[' || c == ']' || c == '(' || c == ')');
    } else {
      counts.parentheses += static_cast<uint64_t>(d.code == 0x27E8 || d.code == 0x27E9);
    }
    at += d.size;
  }
  return counts;
}

// A word of which more than half of the characters could begin a run of "#": NeMo counts runs, not signs.
bool is_symbol(std::string_view word, uint64_t chars) noexcept {
  if (std::find(kEllipses.begin(), kEllipses.end(), word) != kEllipses.end()) {
    return true;
  }
  uint64_t runs = 0;
  for (size_t i = 0; i < word.size(); ++i) {
    runs += static_cast<uint64_t>(word[i] == '#' && (i == 0 || word[i - 1] != '#'));
  }
  return ratio(runs, chars) > 0.5;
}

void word_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  const text::WebChars& chars = text::WebChars::get();
  scratch.words.clear();
  uint64_t symbols = 0;
  uint64_t alpha = 0;
  uint64_t common = 0;
  uint64_t longest = 0;
  for (const std::string_view word : text::python::split(text, std::nullopt, -1, false)) {
    uint32_t length = 0;
    bool alphabetic = false;
    for (size_t at = 0; at < word.size(); ++length) {
      const text::Decoded d = text::decode_at(word, at);
      alphabetic = alphabetic || (chars(d.code) & text::kWebAlphabetic) != 0;
      at += d.size;
    }
    scratch.words.add(word, length);
    symbols += static_cast<uint64_t>(is_symbol(word, length));
    alpha += static_cast<uint64_t>(alphabetic);
    common +=
        static_cast<uint64_t>(word.size() <= 4 && std::find(kCommon.begin(), kCommon.end(), word) != kCommon.end());
    longest = std::max<uint64_t>(longest, length);
  }
  scratch.words.close();
  const uint64_t count = scratch.words.size();
  out[Signal::kNemoWords] = static_cast<double>(count);
  out[Signal::kNemoCommonWords] = static_cast<double>(common);
  if (count > 0) {
    out[Signal::kNemoSymbols] = ratio(symbols, count);
    out[Signal::kNemoAlphaWords] = ratio(alpha, count);
    out[Signal::kNemoMeanWordLength] = ratio(scratch.words.chars(), count);
    out[Signal::kNemoLongestWord] = static_cast<double>(longest);
  }
}

// Distinct elements and their characters, as shares.
void uniqueness(const std::vector<std::string_view>& elements, SignalScratch& scratch, Signal by_count, Signal by_chars,
                Signals& out) {
  if (elements.empty()) {
    return;
  }
  const CopyCounts copies = scratch.duplicates.later_copies(elements);
  uint64_t chars = 0;
  for (const std::string_view element : elements) {
    chars += count_chars(element);
  }
  out[by_count] = ratio(elements.size() - copies.elements, elements.size());
  if (chars > 0) {
    out[by_chars] = ratio(chars - copies.chars, chars);
  }
}

void paragraph_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  scratch.lines.clear();
  size_t begin = 0;
  for (size_t at = text.find("\n\n"); at != std::string_view::npos; at = text.find("\n\n", begin)) {
    scratch.lines.push_back(text.substr(begin, at - begin));
    begin = at + 2;
  }
  scratch.lines.push_back(text.substr(begin));
  uint64_t boilerplate = 0;
  bool lorem = false;
  for (const std::string_view paragraph : scratch.lines) {
    lorem = lorem || lower_contains(paragraph, "lorem ipsum");
    boilerplate += static_cast<uint64_t>(lower_contains(paragraph, kBrowse) ||
                                         std::any_of(kPolicies.begin(), kPolicies.end(), [&](std::string_view phrase) {
                                           return lower_contains(paragraph, phrase);
                                         }));
  }
  out[Signal::kNemoBoilerplate] = lorem ? 1.0 : ratio(boilerplate, scratch.lines.size());
  uniqueness(scratch.lines, scratch, Signal::kNemoUniqueParagraphs, Signal::kNemoUniqueParagraphChars, out);
}

void line_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  split_newlines(text, scratch.lines);
  std::erase_if(scratch.lines, [](std::string_view line) { return strip_left(line).empty(); });
  uniqueness(scratch.lines, scratch, Signal::kNemoUniqueLines, Signal::kNemoUniqueLineChars, out);
  const size_t count = scratch.lines.size();
  if (count == 0) {
    return;
  }
  uint64_t unended = 0;
  uint64_t ellipses = 0;
  uint64_t bullets = 0;
  for (const std::string_view raw : scratch.lines) {
    const std::string_view line = strip(raw);
    constexpr std::string_view kEnds = ".?!\"'";
    unended += static_cast<uint64_t>(kEnds.find(line.back()) == std::string_view::npos);
    const size_t tail = line.size() > 64 ? line.size() - 64 : 0;  // cuts at most a character that no mark has
    ellipses +=
        static_cast<uint64_t>(ends_with_any(text::python::lower(text::sanitize_utf8(line.substr(tail))), kEllipses));
    bullets += static_cast<uint64_t>(std::any_of(kBullets.begin(), kBullets.end(),
                                                 [&](std::string_view bullet) { return line.starts_with(bullet); }));
  }
  out[Signal::kNemoNoEndMark] = ratio(unended, count);
  out[Signal::kNemoEllipsis] = ratio(ellipses, count);
  out[Signal::kNemoBullets] = ratio(bullets, count);
}

void ngram_signals(std::string_view text, uint64_t chars, SignalScratch& scratch, Signals& out) {
  const WordList& words = scratch.words;
  Ngrams& ngrams = scratch.ngrams;
  ngrams.start_pairs(words);
  for (size_t n = 2; n <= 10; ++n) {
    if (n > 2) {
      ngrams.advance();
    }
    const Signal signal = n <= 4 ? signal_after(Signal::kNemoTop2, n - 2) : signal_after(Signal::kNemoDup5, n - 5);
    if (ngrams.total() == 0) {
      out[signal] = 1.0;  // too short a text
      continue;
    }
    uint64_t found = 0;
    if (n <= 4) {
      const Ngrams::Class top = ngrams.top();
      scratch.buffer.clear();
      for (size_t i = 0; i < n; ++i) {
        scratch.buffer += i == 0 ? "" : " ";
        scratch.buffer += words.word(top.first + i);
      }
      found = count_of(text, scratch.buffer) * (words.chars(top.first, n) + n - 1);
    } else {
      size_t next = 0;  // behind the words that were counted
      for (const uint32_t position : ngrams.repeated()) {
        if (ngrams.class_at(position).first == position) {
          continue;
        }
        const size_t overlap = next > position ? next - position : 0;
        found += words.chars(position + overlap, n - overlap) + std::min(n - overlap, n - 1);
        next = position + n;
      }
    }
    out[signal] = ratio(found, chars);
  }
}

}  // namespace

void nemo_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  const CharCounts counts = count_kinds(text);
  const auto share = [&](uint64_t part) { return counts.chars == 0 ? 1.0 : ratio(part, counts.chars); };
  out[Signal::kNemoNonAlphanumeric] = share(counts.chars - counts.plain);
  out[Signal::kNemoNumbers] = share(counts.digits);
  out[Signal::kNemoUrls] = share(url_chars(text));
  out[Signal::kNemoWhiteSpace] = share(counts.white);
  out[Signal::kNemoParentheses] = share(counts.parentheses);
  paragraph_signals(text, scratch, out);
  line_signals(text, scratch, out);
  word_signals(text, scratch, out);
  ngram_signals(text, counts.chars, scratch, out);
}

}  // namespace slipway::data
