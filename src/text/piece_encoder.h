// The whole of a tokenizer that writes spaces as U+2581 (SentencePiece's kind: BPE of Llama 2, Mistral, Phi-3; Unigram
// of T5, XLM-R) on the bytes of a text, ids only: normalise, cut where no piece can cross, look the words up, and let
// the model make those not met before. The general path (normalizer.h, pre_tokenizer.h) defines what is right; tests
// hold the two equal. Any thread.
#pragma once

#include <array>
#include <memory>

#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_model.h"
#include "text/word_cache.h"

namespace slipway::text {

class PieceEncoder {
 public:
  // nullptr when the parts need the general path. All are borrowed; normalizer and pre_tokenizer may be null.
  static std::unique_ptr<PieceEncoder> make(const Normalizer* normalizer, const PreTokenizer* pre_tokenizer,
                                            const TokenModel& model, const Vocabulary& vocabulary);

  // Appends the ids of `text`; stops early once `max_ids` ids are there. `at_start`: it begins what was given to
  // encode(). Returns false, with `ids` as they were, for texts that need the general path.
  bool encode(std::string_view text, bool at_start, size_t max_ids, std::vector<int32_t>& ids) const;

 private:
  PieceEncoder(const Normalizer* normalizer, PieceKind kind, const TokenModel& model)
      : normalizer_(normalizer), kind_(std::move(kind)), model_(model) {}
  bool find_cuts(const Vocabulary& vocabulary);
  void mark_spaces(std::string_view text, bool at_start, std::string& out) const;
  void encode_words(std::string_view text, size_t max_ids, std::vector<int32_t>& ids) const;
  void encode_word(std::string_view text, size_t at, size_t size, WordCache& cache, std::vector<Piece>& pieces,
                   std::vector<int32_t>& ids) const;

  const Normalizer* normalizer_;
  PieceKind kind_;
  const TokenModel& model_;
  bool cut_every_mark_ = false;         // each U+2581 begins a word of the pre-tokenizer
  bool cut_at_marks_ = false;           // words may be cut before U+2581, except after these bytes
  std::array<bool, 256> joins_mark_{};  // the last byte of what some piece has before U+2581
  mutable WordCachePool caches_;
};

}  // namespace slipway::text
