// Learns the vocabulary of a WordPiece tokenizer from texts, as Hugging Face's WordPieceTrainer: byte-pair merges over
// the characters of BERT's words, those within a word with the prefix ##; the tokens stay, the merges go. The
// vocabulary equals Hugging Face's, but for ties between pairs of the same count: there the ids of the prefixed
// characters decide, which Hugging Face gives in the order of a hash table that differs from run to run, and this by
// code point. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/normalizer.h"
#include "text/word_counts.h"

namespace slipway::text {

struct WordPieceTrainerOptions {
  int vocab_size = 30'000;    // special tokens and characters included
  int64_t min_frequency = 0;  // pairs seen less often are not merged
  int limit_alphabet = 0;     // keep this many characters, the most frequent; 0: all
  std::vector<std::string> special_tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};  // get the first ids
  std::string prefix = "##";
  BertNormalizerOptions normalizer;
  int64_t max_words = kMaxTrainingWords;  // distinct ones; see word_counts.h
};

struct TrainedWordPiece {
  std::vector<std::string> tokens;  // by id
  int64_t distinct_words = 0;
  int64_t forgotten = 0;  // occurrences of words past max_words
};

class WordPieceTrainer {
 public:
  // Throws Error(kInvalid) when there is no [UNK] among the special tokens, or more of them than vocab_size.
  explicit WordPieceTrainer(const WordPieceTrainerOptions& options);
  void add(std::string_view text) { texts_.add(text); }
  TrainedWordPiece train(base::Progress& progress) const;

 private:
  WordPieceTrainerOptions options_;
  TextWords texts_;
};

// A tokenizer.json of it: BERT's normalizer, pre-tokenizer and decoder, and its template where [CLS] and [SEP] are
// special tokens.
std::string trained_tokenizer_json(const TrainedWordPiece& trained, const WordPieceTrainerOptions& options);

}  // namespace slipway::text
