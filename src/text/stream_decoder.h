// Token ids in one at a time, text out as soon as it is complete: a character whose bytes come from several tokens is
// held back until its last one. One stream an object, one thread at a time; borrows the tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace slipway::text {

class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that `id` completes: valid UTF-8, empty while a character is unfinished.
  std::string push(int32_t id);
  // What is held back, broken characters as U+FFFD; the object then starts anew.
  std::string flush();

 private:
  std::string take(bool all);

  const Tokenizer& tokenizer_;
  bool skip_special_tokens_;
  // The ids whose text is out and that the next ones still follow (decoders look at the token before: spaces), then the
  // ids held back.
  std::vector<int32_t> ids_;
  size_t out_ids_ = 0;   // ids_ that are out
  size_t out_size_ = 0;  // bytes that they decode to
};

}  // namespace slipway::text
