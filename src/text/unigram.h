// Unigram (Kudo 2018): of all ways to cut a text into pieces, the one with the largest sum of scores, found by
// Viterbi's algorithm over a trie. Two dialects that round and break ties differently: Hugging Face's (double) and
// SentencePiece's (float). Immutable: any thread.
#pragma once

#include <array>
#include <optional>

#include "text/byte_trie.h"
#include "text/token_model.h"

namespace slipway::text {

struct UnigramOptions {
  int32_t unk_id = -1;
  bool byte_fallback = false;
  bool sentencepiece = false;  // SentencePiece's rounding, its bonus for user-defined pieces
};

class Unigram final : public TokenModel {
 public:
  enum class Kind : uint8_t { kNormal, kUserDefined, kUnused, kNone };  // kNone: never found in text
  // `vocabulary` is borrowed and built; scores and kinds by id. Throws Error(kInvalid) when unk_id is not in it.
  Unigram(const UnigramOptions& options, std::vector<double> scores, const std::vector<Kind>& kinds,
          const Vocabulary& vocabulary, const std::string& source);
  void tokenize(std::string_view text, std::vector<Piece>& pieces) const override;

 private:
  template <class Score>
  void best_path(std::string_view text, std::vector<Piece>& reversed) const;
  void add_unknown(std::string_view text, Piece piece, std::vector<Piece>& pieces) const;

  UnigramOptions options_;
  std::vector<double> scores_;
  std::vector<bool> user_defined_;
  const Vocabulary& vocabulary_;
  ByteTrie trie_;
  double unk_score_ = 0;
  double max_score_ = 0;
  std::optional<std::array<int32_t, 256>> byte_ids_;
};

}  // namespace slipway::text
