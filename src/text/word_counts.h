// Words and how often they were seen: what the trainers of tokenizers learn from. Memory is bounded: past `max_words`
// distinct words the rarest are forgotten. The same texts in the same order give the same counts. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/normalizer.h"
#include "text/pre_tokenizer.h"

namespace slipway::text {

// A word of about 10 bytes takes about 90: 10 million are 0.9 GB.
constexpr int64_t kMaxTrainingWords = 10'000'000;

using CountedWord = std::pair<std::string, int64_t>;

class WordCounts {
 public:
  explicit WordCounts(int64_t max_words = kMaxTrainingWords) : max_words_(static_cast<size_t>(max_words)) {}

  void add(std::string_view word, int64_t count = 1);
  size_t size() const noexcept { return counts_.size(); }
  // Occurrences of words that were forgotten.
  int64_t forgotten() const noexcept { return forgotten_; }
  // By their bytes.
  std::vector<CountedWord> sorted() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view word) const noexcept { return std::hash<std::string_view>()(word); }
  };
  void forget_rare();

  size_t max_words_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;
  int64_t floor_ = 0;  // words seen as often as this were forgotten
  int64_t forgotten_ = 0;
};

// The words that a normalizer (or null) and a pre-tokenizer make of texts. Both must treat what stands on the two sides
// of a space between printable ASCII characters separately, as those of BERT and of SentencePiece do: then the parts
// between such spaces are counted as they are, and each distinct one is taken apart once.
class TextWords {
 public:
  TextWords(std::unique_ptr<Normalizer> normalizer, std::unique_ptr<PreTokenizer> pre_tokenizer, int64_t max_words)
      : normalizer_(std::move(normalizer)),
        pre_tokenizer_(std::move(pre_tokenizer)),
        max_words_(max_words),
        parts_(max_words) {}

  // Invalid UTF-8 becomes U+FFFD.
  void add(std::string_view text);
  WordCounts words() const;
  // Occurrences of parts that were forgotten.
  int64_t forgotten() const noexcept { return parts_.forgotten(); }

 private:
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  int64_t max_words_;
  WordCounts parts_;
};

}  // namespace slipway::text
