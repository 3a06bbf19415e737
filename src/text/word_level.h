// WordLevel: a word is a token or unknown. Immutable: any thread.
#pragma once

#include "text/token_model.h"

namespace slipway::text {

class WordLevel final : public TokenModel {
 public:
  // `vocabulary` is borrowed. Throws Error(kInvalid) when it has no unknown token.
  WordLevel(const std::string& unk_token, const Vocabulary& vocabulary, const std::string& source);
  void tokenize(std::string_view word, std::vector<Piece>& pieces) const override;

 private:
  const Vocabulary& vocabulary_;
  int32_t unk_id_;
};

}  // namespace slipway::text
