// The "decoder" section of a tokenizer.json: tokens back to text. A decoder changes a list of tokens; what is left is
// put together. Immutable after loading: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  // The bytes of one token inside a text: what apply() makes of it between others, without replacing the bytes of
  // unfinished characters.
  virtual std::string bytes_of(std::string token) const { return token; }
};

// nullptr for a JSON null (tokens are joined by spaces). Throws Error(kInvalid) naming a type that is not supported.
std::unique_ptr<Decoder> parse_decoder(const base::Json& json, const std::string& source);
std::unique_ptr<Decoder> make_wordpiece_decoder(const std::string& prefix, bool cleanup);
std::unique_ptr<Decoder> make_byte_level_decoder();
// U+2581 to spaces, <0xXX> to bytes, and `strip` spaces off the beginning, as SentencePiece decodes.
std::unique_ptr<Decoder> make_sentencepiece_decoder(int strip);

}  // namespace slipway::text
