// The whole of a BERT tokenizer in one pass over the bytes: BertNormalizer, BertPreTokenizer and WordPiece fused, with
// no allocation and no intermediate text. The general path (normalizer.h, pre_tokenizer.h, token_model.h) defines what
// is right; tests hold the two equal. Immutable: any thread.
#pragma once

#include <array>
#include <cstdint>

#include "text/normalizer.h"
#include "text/tokenizer.h"
#include "text/wordpiece.h"

namespace slipway::text {

class BertEncoder {
 public:
  // Words longer than this cannot be one of the vocabulary's; files that allow longer ones take the general path.
  static constexpr int64_t kMaxWordChars = 120;

  // `model` and `vocabulary` are borrowed. model.max_input_chars_per_word() is in [1, kMaxWordChars].
  BertEncoder(const BertNormalizerOptions& options, const WordPiece& model, const Vocabulary& vocabulary);

  // Appends the ids of `text`, and their offsets from code point `first` on when asked; stops early once `max_ids` ids
  // are there. Returns false, with `out` as it was, for the few texts that need canonical reordering: take the general
  // path.
  bool encode(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids, Encoding& out) const;

 private:
  template <bool kOffsets>
  class Run;

  BertNormalizerOptions options_;
  const WordPiece& model_;
  const uint8_t* classes_;                  // char_class_table()
  std::array<uint8_t, 256> action_{};       // what to do with a byte: see bert_encoder.cc
  std::array<unsigned char, 128> lower_{};  // ASCII, lower-cased when the normalizer does
  std::array<int32_t, 128> ascii_id_{};     // the id of a one-character word
};

}  // namespace slipway::text
