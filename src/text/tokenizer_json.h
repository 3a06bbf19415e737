// A tokenizer.json taken apart: the vocabulary goes straight from the file's bytes into a Vocabulary (30,000 tokens in
// about a millisecond), everything else becomes JSON values. Nothing is owned by the caller. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "text/token_model.h"
#include "text/vocabulary.h"

namespace slipway::text {

struct TokenizerFile {
  base::Json sections;  // the top level without "model"
  base::Json model;     // the model section; "vocab" and "merges" are not in it
  ModelLists lists;
  Vocabulary vocabulary;  // not yet built: added tokens come next
};

constexpr size_t kMaxTokenizerBytes = size_t{256} << 20;

// Adds an object of tokens and ids, as a vocab.json is one. Throws Error(kInvalid).
void read_vocabulary_json(std::string_view json, const std::string& source, Vocabulary& vocabulary);

// Throws Error(kInvalid) naming `source`, byte and reason.
TokenizerFile split_tokenizer_json(std::string_view json, const std::string& source);

}  // namespace slipway::text
