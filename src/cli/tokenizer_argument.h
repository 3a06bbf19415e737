// The tokenizer that a command names. Main thread.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace slipway::cli {

constexpr const char* kTokenizerHelp =
    "tokenizer.json, a folder, vocab.json beside merges.txt, a SentencePiece .model, a .tiktoken, a .gguf or a "
    "vocab.txt";

// Of a file or folder, or of the vocabulary in a .gguf. Throws Error(kNotFound | kInvalid).
std::unique_ptr<text::Tokenizer> load_tokenizer_argument(const std::string& path);

// The token that ends a text: `named`, or eos_token of tokenizer_config.json beside it, or one that is called so in known
// vocabularies. Throws Error(kInvalid) when there is none.
int end_of_text_id(const text::Tokenizer& tokenizer, const std::string& named, const std::string& path);

}  // namespace slipway::cli
