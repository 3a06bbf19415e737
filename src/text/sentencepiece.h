// Tokenizers of SentencePiece's kind from their pieces, whichever file they come from (a .model, GGUF metadata).
// Internal to the loaders of text.
#pragma once

#include "text/sentencepiece_normalizer.h"
#include "text/tokenizer_parts.h"

namespace slipway::text {

struct SentencePieceModel {
  enum class Type : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<Type> types;
  bool unigram = false;  // else BPE
  bool byte_fallback = false;
  SentencePieceOptions normalizer;
  std::string charsmap;
  int32_t unk_id = -1;
};

// Vocabulary, normalizer, model and decoder; frame and added tokens are the caller's, before assemble_tokenizer().
// Throws Error(kInvalid).
std::unique_ptr<TokenizerParts> sentencepiece_parts(const SentencePieceModel& model, const std::string& source);

}  // namespace slipway::text
