// Cutting encoded texts to a number of ids. Pure functions. Any thread.
#pragma once

#include "text/tokenizer.h"

namespace slipway::text {

// How many ids of text fit beside `special` special tokens; SIZE_MAX without a limit. Throws Error(kInvalid) when the
// special tokens alone are too many.
size_t room_for_text(const EncodeOptions& options, size_t special);

// Keeps `count` of the ids from `begin` on: the first, or the last.
void truncate(size_t begin, size_t count, bool left, Encoding& encoding);

// Cuts two texts to `room` ids together by the options' strategy, as Hugging Face tokenizers does. Throws
// Error(kInvalid) when the one text that may be cut would have to go altogether.
void truncate_pair(size_t room, const EncodeOptions& options, Encoding (&texts)[2]);

}  // namespace slipway::text
