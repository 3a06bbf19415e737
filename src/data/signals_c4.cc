// Raffel et al. 2020 and mC4, as datatrove's C4 filters have them: lines are dropped one by one, some drop the page.
#include <algorithm>
#include <array>
#include <cstring>

#include "data/signals.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 6> kPolicies = {"terms of use", "privacy policy", "cookie policy",
                                                       "uses cookies", "use of cookies", "use cookies"};

// Removes "[12]", "[]", "[edit]" and "[citation needed]"; whether there was one. Digits are any of Unicode's (re \d).
bool remove_citations(std::string_view line, std::string& out) {
  size_t open = line.find('[');
  if (open == std::string_view::npos) {
    return false;
  }
  const text::WebChars& chars = text::WebChars::get();
  out.clear();
  size_t copied = 0;
  while (open != std::string_view::npos) {
    size_t end = open + 1;
    while (end < line.size()) {
      const text::Decoded d = text::decode_at(line, end);
      if ((chars(d.code) & text::kWebDigit) == 0) {
        break;
      }
      end += d.size;
    }
    if (end >= line.size() || line[end] != ']') {
      constexpr std::array<std::string_view, 2> kNames = {"[edit]", "[citation needed]"};
      const auto name = std::find_if(kNames.begin(), kNames.end(),
                                     [&](std::string_view text) { return line.substr(open).starts_with(text); });
      if (name == kNames.end()) {
        open = line.find('[', open + 1);
        continue;
      }
      end = open + name->size() - 1;
    }
    out.append(line, copied, open - copied);
    copied = end + 1;
    open = line.find('[', copied);
  }
  if (copied == 0) {
    return false;
  }
  out.append(line, copied, line.size() - copied);
  return true;
}

bool ends_in_punctuation(std::string_view line) noexcept {
  constexpr std::string_view kEnds = ".?!\"'";
  return !line.empty() && kEnds.find(line.back()) != std::string_view::npos && !line.ends_with("...");
}

// Which of the phrases a text may hold at all: most hold none, and their lines need no search.
struct Phrases {
  bool lorem_ipsum = false;
  bool javascript = false;
  bool policy = false;
  bool kelvin = false;  // a sign whose lower case is k
  bool any() const noexcept { return lorem_ipsum || javascript || policy; }
};
Phrases find_phrases(std::string_view text, std::string& lower) {
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";  // whose lower case is k
  const bool kelvin = text.find(kKelvin) != std::string_view::npos;
  if (!may_hold_phrase(text)) {
    return {false, false, kelvin, kelvin};
  }
  lower_ascii(text, lower);
  const auto has = [&](std::string_view part) {
    return memmem(lower.data(), lower.size(), part.data(), part.size()) != nullptr;
  };
  return {has("lorem ipsum"), has("javascript"), kelvin || has("cookie") || has("policy") || has("terms of use"), kelvin};
}

// Words at white space of some tokens, and whether one of them is longer than `longest` characters.
struct LineWords {
  int64_t count = 0;
  bool too_long = false;
};
LineWords line_words(std::span<const text::WebToken> tokens, int64_t longest) noexcept {
  LineWords words;
  int64_t chars = 0;
  for (const text::WebToken& token : tokens) {
    const bool start = (token.flags & text::kTokenChunkStart) != 0;
    words.count += static_cast<int64_t>(start);
    chars = (start ? 0 : chars) + token.chars;
    words.too_long |= chars > longest;
  }
  return words;
}

}  // namespace

void c4_signals(std::string_view text, std::span<const text::WebToken> tokens, const C4Options& options,
                SignalScratch& scratch, Signals& out, std::string& kept, uint64_t& kept_words) {
  kept.clear();
  kept_words = 0;
  split_lines(text, scratch.lines);
  const int64_t longest = options.max_word_length < 0 ? std::numeric_limits<int64_t>::max() : options.max_word_length;
  uint64_t sentences = 0;
  uint64_t lines_kept = 0;
  uint64_t lorem = 0;
  uint64_t curly = 0;
  const Phrases phrases = find_phrases(text, scratch.buffer);
  size_t next = 0;  // the first token of the line
  uint64_t number = 0;
  for (const std::string_view raw : scratch.lines) {
    ++number;
    std::string_view line = strip(raw);
    const auto end = static_cast<size_t>(line.data() + line.size() - text.data());
    const size_t first = next;
    while (next < tokens.size() && tokens[next].begin < end) {
      ++next;
    }
    std::span<const text::WebToken> words = tokens.subspan(first, next - first);
    const LineWords counted = line_words(words, longest);
    if (counted.too_long) {
      continue;
    }
    const bool changed = options.remove_citations && remove_citations(line, scratch.buffer);
    if (changed) {
      line = scratch.buffer;
    }
    if ((options.filter_no_terminal_punct && !ends_in_punctuation(line)) ||
        counted.count < options.min_words_per_line) {
      continue;
    }
    // Without a citation in its middle a phrase may be there that was not in the whole text.
    const bool may_hold = (changed || phrases.any()) && (phrases.kelvin || may_hold_phrase(line));
    if (may_hold && (changed || phrases.lorem_ipsum) && lower_contains(line, "lorem ipsum")) {
      lorem = lorem == 0 ? number : lorem;
      continue;
    }
    if (may_hold && options.filter_javascript && (changed || phrases.javascript) && lower_contains(line, "javascript")) {
      continue;
    }
    if (line.find('{') != std::string_view::npos) {
      curly = curly == 0 ? number : curly;
      continue;
    }
    if (may_hold && options.filter_policy && (changed || phrases.policy) &&
        std::any_of(kPolicies.begin(), kPolicies.end(),
                    [&](std::string_view policy) { return lower_contains(line, policy); })) {
      continue;
    }
    bool ends_in_space = false;
    if (changed) {
      ends_in_space = scratch.english.scan(line, scratch.line_tokens);
      words = scratch.line_tokens;
    }
    sentences += text::count_sentences(words, ends_in_space);
    kept_words += words.size();
    if (lines_kept > 0) {
      kept += '\n';
    }
    kept += line;
    ++lines_kept;
  }
  const std::string_view trimmed = strip(kept);
  if (trimmed.size() != kept.size()) {
    kept = std::string(trimmed);
  }
  out[Signal::kC4LoremIpsumLine] = static_cast<double>(lorem);
  out[Signal::kC4CurlyBracketLine] = static_cast<double>(curly);
  out[Signal::kC4Sentences] = static_cast<double>(sentences);
  out[Signal::kC4LinesKept] = static_cast<double>(lines_kept);
  out[Signal::kC4Lines] = static_cast<double>(scratch.lines.size());
}

void c4_paragraph_signals(std::string_view text, SignalScratch& scratch, Signals& out) {
  split_newlines(text, scratch.lines);
  std::array<uint64_t, 3> longest{};  // descending
  for (const std::string_view line : scratch.lines) {
    uint64_t length = count_chars(line);
    for (uint64_t& place : longest) {
      if (length > place) {
        std::swap(length, place);
      }
    }
  }
  out[Signal::kC4Paragraphs] = static_cast<double>(scratch.lines.size());
  out[Signal::kC4ThirdParagraph] = static_cast<double>(longest[2]);
}

void c4_bad_word_signal(std::string_view text, const BadWords& bad_words, Signals& out) {
  out[Signal::kC4BadWords] = static_cast<double>(bad_words.found_in(text::python::lower(text)));
}

}  // namespace slipway::data
