// Where the words of byte-level tokenizers end, found on UTF-8 itself by hand-written scanners for the patterns that
// models really use. The regular expressions (regex.h) define what is right; tests hold the two equal. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "text/regex.h"

namespace slipway::text {

enum class WordPattern : uint8_t {
  kNone,    // nothing is split yet
  kWhole,   // the whole text is one word
  kGpt2,    // GPT-2, RoBERTa, SmolLM, StarCoder, ...
  kLlama3,  // Llama 3, and cl100k as published first
  kQwen2,   // Llama 3's with single digits
  kCl100k,  // tiktoken's cl100k_base since 0.6: white space at the end stays together
};

struct ScannerKind {
  WordPattern pattern = WordPattern::kNone;
  bool isolate_digits = false;  // every number character is a word, before the pattern is looked for
  bool prefix_space = false;    // a space is put before a text that begins with none
  bool bytes = false;           // words are written as byte characters (ByteLevel)
};

// The kind of a pattern of a tokenizer file, nullopt when there is no scanner for it.
std::optional<ScannerKind> scanner_of_pattern(std::string_view pattern, Regex::Flavor flavor);
// What two pre-tokenizers one after the other amount to; nullopt when no scanner does that.
std::optional<ScannerKind> chain_scanners(const ScannerKind& first, const ScannerKind& second);

class WordScanner {
 public:
  explicit WordScanner(const ScannerKind& kind);

  // The end of the word that starts at `at`; at < text.size(). `text` is valid UTF-8, and the same text until it is
  // used up: `part_end` is the caller's, 0 at first.
  size_t next(std::string_view text, size_t at, size_t& part_end) const noexcept {
    if (isolate_digits_) {
      if (at >= part_end) {
        const size_t digit_size = number_size(text, at);
        if (digit_size > 0) {
          return at + digit_size;
        }
        part_end = find_number(text, at);
      }
      return end_(text.substr(0, part_end), at, kinds_);
    }
    return end_(text, at, kinds_);
  }

 private:
  using End = size_t (*)(std::string_view text, size_t at, const uint8_t* kinds) noexcept;
  size_t number_size(std::string_view text, size_t at) const noexcept;  // 0 when no number is there
  size_t find_number(std::string_view text, size_t at) const noexcept;

  End end_;
  const uint8_t* kinds_;
  bool isolate_digits_;
};

}  // namespace slipway::text
