// Words and sentences of plain text in any language: what lengths are counted in, what LIME and SHAP remove, what token
// distributions are made of. Spans are byte ranges of the caller's text. Any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace slipway::text {

struct Span {
  size_t begin = 0;  // bytes
  size_t end = 0;
  bool operator==(const Span&) const = default;
};

inline std::string_view slice(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

// Replaces `words` by the words of `text` in order: runs of letters, digits and marks, joined by one inner apostrophe,
// hyphen (letter on both sides: "don't", "state-of-the-art") or by '.' or ',' between digits ("3.14", "1,000"). Each
// Han ideograph is a word; a run of kana, of Thai or of Hangul is one. Linear.
void split_words(std::string_view text, std::vector<Span>& words);
std::vector<Span> split_words(std::string_view text);

// The number of words, without building the list.
size_t count_words(std::string_view text);

// Replaces `sentences` by the sentences, without the white space around them: they end at . ! ? and their full-width
// and Indic kin (with closing quotes or brackets), and at blank lines; not after common abbreviations, initials or
// inside numbers.
void split_sentences(std::string_view text, std::vector<Span>& sentences);

}  // namespace slipway::text
