// The text of single tokens, for log-probabilities. Immutable; any thread that may use the tokenizer. Borrows it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "text/tokenizer.h"

namespace slipway::engine {

class TokenText {
 public:
  explicit TokenText(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    for (const char* const anchor : {"a",
                                     "\xE2\x96\x81"
                                     "a"}) {
      if (anchor_ < 0) {
        anchor_ = tokenizer.token_to_id(anchor);
      }
    }
    if (anchor_ >= 0) {
      anchor_text_ = tokenizer.decode(std::array{static_cast<int32_t>(anchor_)}, false);
    }
  }

  // As inside a text: after another token, because decoders drop the space that a text begins with. Special tokens
  // are spelt out; an incomplete character is U+FFFD.
  std::string of(int32_t id) const {
    if (anchor_ >= 0) {
      std::string both = tokenizer_.decode(std::array{static_cast<int32_t>(anchor_), id}, false);
      if (both.starts_with(anchor_text_)) {
        return both.substr(anchor_text_.size());
      }
    }
    return tokenizer_.decode(std::array{id}, false);
  }

 private:
  const text::Tokenizer& tokenizer_;
  int anchor_ = -1;
  std::string anchor_text_;
};

}  // namespace slipway::engine
