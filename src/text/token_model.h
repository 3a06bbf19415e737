// The "model" section of a tokenizer.json: what cuts a pre-token into pieces of the vocabulary. One class and file an
// algorithm; WordPiece and WordLevel now. Immutable after loading: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/vocabulary.h"

namespace slipway::text {

struct Piece {
  int32_t id;
  uint32_t begin;  // bytes of the word, half-open
  uint32_t end;
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the pieces of `word` (valid UTF-8, not empty).
  virtual void tokenize(std::string_view word, std::vector<Piece>& pieces) const = 0;
};

// `json` is the model section without its vocabulary, which is borrowed and outlives the model.
// Throws Error(kInvalid) naming an unsupported type, a missing unknown token, ...
std::unique_ptr<TokenModel> parse_model(const base::Json& json, const Vocabulary& vocabulary,
                                        const std::string& source);

}  // namespace slipway::text
