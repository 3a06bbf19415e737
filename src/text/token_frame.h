// The "post_processor" and "decoder" sections of a tokenizer.json: the special tokens around a text, and tokens back to
// text. Plain values, immutable after loading: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::text {

// The special tokens before and after a single text.
struct TokenFrame {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

// Reads TemplateProcessing (its "single" template), BertProcessing, RobertaProcessing, or a Sequence with one of them;
// null gives an empty frame. Throws Error(kInvalid) naming what is wrong or not supported.
TokenFrame parse_post_processor(const base::Json& json, const std::string& source);

struct DecoderOptions {
  bool wordpiece = false;  // join pieces that start with `prefix`; else tokens are joined by single spaces
  std::string prefix = "##";
  bool cleanup = true;  // no space before . ? ! , and English clitics
};

// Reads WordPiece or null. Throws Error(kInvalid) naming a type that is not supported.
DecoderOptions parse_decoder(const base::Json& json, const std::string& source);

// Appends one token to the text so far, as Hugging Face's decoder does; `first` for the first one.
void append_decoded(const DecoderOptions& options, std::string_view token, bool first, std::string& out);

}  // namespace slipway::text
