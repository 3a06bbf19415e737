// The words and sentences of spaCy's blank English pipeline (tokenizer and sentencizer, 3.8), which define what a word
// is for datatrove's filters, FineWeb and all that follow them: white space separates chunks; a chunk loses prefixes
// and suffixes one by one, may be one of 1,343 special cases or an address, and is split inside at certain signs; at
// last, rows of tokens that spell a special case become that special case. No regular expressions: a scanner of its
// own, checked token by token against the real one (tests/compat/data_quality_check.py).
//
//   EnglishWords scanner;                   // one per thread: it keeps a cache of chunks and scratch memory
//   std::vector<WebToken> tokens;           // reused
//   scanner.scan(text, tokens);
//
// Text must be valid UTF-8 and under 4 GiB. Linear in the text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::text {

enum WebTokenFlag : uint8_t {
  kTokenNotSymbol = 1,     // has a character outside datatrove's PUNCTUATION_SET
  kTokenAlpha = 2,         // has a letter (str.isalpha)
  kTokenSentenceEnd = 4,   // is one of the sentencizer's marks
  kTokenPunctuation = 8,   // all characters are of category P
  kTokenSpaceBefore = 16,  // spaCy has a token of white space before it (more than one space, a tab, a line break)
  kTokenChunkStart = 32,   // begins a chunk: white space, or the text's beginning, is before it
};

// Never white space: spaCy's tokens of white space are flags here, as datatrove drops them.
struct WebToken {
  uint32_t begin;  // bytes
  uint32_t size;   // bytes
  uint32_t chars;  // code points
  uint8_t flags;   // WebTokenFlag
};

// Each special case as its tokens joined by tabs; the units that are split from a number. Generated.
std::span<const std::string_view> english_special_cases() noexcept;
std::span<const std::string_view> english_units() noexcept;

class EnglishWords {
 public:
  enum class Path : uint8_t {
    kFast,   // chunks many bytes at a time, short cuts for plain words, a cache of the others
    kPlain,  // character by character, every chunk by the rules: what the fast path is tested against
  };
  explicit EnglishWords(Path path = Path::kFast);
  ~EnglishWords();
  EnglishWords(const EnglishWords&) = delete;
  EnglishWords& operator=(const EnglishWords&) = delete;
  EnglishWords(EnglishWords&&) noexcept;
  EnglishWords& operator=(EnglishWords&&) noexcept;

  // Replaces `tokens` by those of `text`, in order. Returns whether white space that is a token for spaCy ends the
  // text.
  bool scan(std::string_view text, std::vector<WebToken>& tokens);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Sentences of the sentencizer in tokens that stand in one row of a text without line breaks; `ends_in_space` as scan
// returned it for that row. As datatrove counts: 1 for no tokens.
size_t count_sentences(std::span<const WebToken> tokens, bool ends_in_space) noexcept;

// Whether the whole of `text` is an address for spaCy's URL rule. For tests; scan asks it itself.
bool is_web_address(std::string_view text);

}  // namespace slipway::text
