// The parts of a tokenizer, whatever file they come from, and the tokenizer that they make by working one after the
// other. Internal to the loaders of text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_frame.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

namespace slipway::text {

struct TokenizerParts {
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  // Looked for in the normalised text as they stand, besides the added tokens that are `normalized`.
  std::vector<AddedTokenMatcher::Pattern> symbols;
  std::vector<int32_t> special_ids;  // left out by decode() besides the special added tokens, never looked for in text
  std::unique_ptr<Normalizer> normalizer;       // or null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // or null
  std::unique_ptr<TokenModel> model;
  TokenFrame frame;
  std::unique_ptr<Decoder> decoder;  // or null: tokens joined by spaces
  std::optional<FileTruncation> file_truncation;
  std::optional<FilePadding> file_padding;
};

// Throws Error(kInvalid) when the frame uses an id that the vocabulary does not have.
std::unique_ptr<Tokenizer> assemble_tokenizer(std::unique_ptr<TokenizerParts> parts, const std::string& source);

// Adds the added tokens to the vocabulary where it lacks them, before it is built. Throws Error(kInvalid) when it gives
// an id to another token.
void add_added_tokens(TokenizerParts& parts, const std::string& source);

// Readers of one format each; `source` is used in messages. All throw Error(kInvalid).
std::unique_ptr<Tokenizer> parse_vocab_txt(std::string_view text, bool lowercase, const std::string& source);
// GPT-2's vocab.json and merges.txt.
std::unique_ptr<Tokenizer> parse_vocab_merges(std::string_view vocab_json, std::string_view merges_txt,
                                              const std::string& source);

// A SentencePiece model (protocol buffer). Its options, and the tokens around a text, from what stands beside it:
struct SideOptions {
  bool add_bos = false;
  bool add_eos = false;
};
std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view bytes, const SideOptions& side,
                                               const std::string& source);
// Lines of base64 and rank. `family` is a file name: it decides pattern and special tokens (cl100k, o200k, p50k, r50k,
// gpt2, qwen; Llama 3 for others).
std::unique_ptr<Tokenizer> parse_tiktoken(std::string_view text, const std::string& family, const std::string& source);
// Whether the bytes look like a tiktoken file.
bool is_tiktoken(std::string_view bytes);

}  // namespace slipway::text
