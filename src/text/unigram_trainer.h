// Learns the pieces and scores of a Unigram tokenizer from texts (Kudo 2018), as Hugging Face's UnigramTrainer: seeds
// are the substrings of words that are seen in two surroundings (unigram_seeds.h); rounds of expectation maximisation
// with a sparse prior (digamma) shrink them, and the pieces whose loss costs the likelihood least are taken out until
// vocab_size is reached. Until the first pruning pieces and scores equal Hugging Face's to rounding; after it some
// pieces are others: of 300 on a small corpus 16, and log-likelihoods of texts were up to 1.4 % lower with 150 pieces.
// The same texts give the same bytes. Memory: the words, 20 bytes for each of their characters while seeds are found,
// then the pieces. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/word_counts.h"

namespace slipway::text {

struct UnigramTrainerOptions {
  int vocab_size = 8'000;                   // special tokens and characters included
  int n_sub_iterations = 2;                 // rounds of EM between prunings
  double shrinking_factor = 0.75;           // of the pieces that a pruning keeps, in (0, 1)
  int max_piece_length = 16;                // characters
  int64_t seed_size = 1'000'000;            // pieces to begin with
  std::vector<std::string> special_tokens;  // get the first ids, score 0
  std::string unk_token = "<unk>";          // put first where it is not among the special tokens; empty: none
  std::string initial_alphabet;             // characters that get a piece, seen or not
  int64_t max_words = kMaxTrainingWords;    // distinct ones; see word_counts.h
};

struct ScoredPiece {
  std::string piece;
  double score;  // natural log of its probability
};

struct TrainedUnigram {
  std::vector<ScoredPiece> pieces;  // by id
  int unk_id = -1;
  int64_t distinct_words = 0;
  int64_t forgotten = 0;  // occurrences of words past max_words
};

class UnigramTrainer {
 public:
  // Throws Error(kInvalid) for options out of range.
  explicit UnigramTrainer(const UnigramTrainerOptions& options);
  // Counts the words of a text: NFKC without control characters, each word with the space before it as U+2581.
  void add(std::string_view text) { texts_.add(text); }
  // Throws Error(kInvalid) when the texts have more characters than vocab_size, or none.
  TrainedUnigram train(base::Progress& progress) const;

 private:
  UnigramTrainerOptions options_;
  TextWords texts_;
};

// The training alone, on words.
TrainedUnigram train_unigram(const UnigramTrainerOptions& options, const std::vector<CountedWord>& words,
                             base::Progress& progress);

// A tokenizer.json of it, as Hugging Face's SentencePieceUnigramTokenizer lays it out.
std::string trained_tokenizer_json(const TrainedUnigram& trained, const UnigramTrainerOptions& options);

}  // namespace slipway::text
