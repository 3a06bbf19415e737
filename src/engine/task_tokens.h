// Which tokens of an encoded text come from the text and which the tokenizer put around it. Internal to the tasks.
#pragma once

#include "text/tokenizer.h"

namespace slipway::engine {

// An unknown word is a special token with a place in the text.
inline bool is_added(const text::Tokenizer& tokenizer, const text::Encoding& encoding, size_t i) {
  const auto [begin, end] = encoding.offsets[i];
  return begin == end && tokenizer.is_special(encoding.ids[i]);
}

}  // namespace slipway::engine
