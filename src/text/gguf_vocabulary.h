// What the tokenizer.ggml.* metadata of a GGUF file say, as a plain struct (model reads the file; text knows no GGUF),
// and the tokenizer that they describe. Ids equal llama.cpp's. The struct is the caller's; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace slipway::text {

struct GgufVocabulary {
  std::string model;  // tokenizer.ggml.model: "gpt2" (byte-level BPE), "llama" (SentencePiece BPE), "bert", "t5"
  std::string pre;    // tokenizer.ggml.pre: "default", "llama-bpe", "smollm", "qwen2", ...; empty when absent
  std::vector<std::string> tokens;  // by id
  std::vector<float> scores;        // by id; empty when absent ("llama" and "t5" need them)
  // By id: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; or empty.
  std::vector<int32_t> token_types;
  std::vector<std::string> merges;   // "a b", best first ("gpt2" needs them)
  std::string precompiled_charsmap;  // raw bytes ("t5")
  int32_t bos_id = -1;               // *_token_id of the file; -1 when absent
  int32_t eos_id = -1;
  int32_t unk_id = -1;
  int32_t sep_id = -1;  // also seperator_token_id, as llama.cpp wrote it once
  int32_t pad_id = -1;
  int32_t cls_id = -1;
  int32_t mask_id = -1;
  std::optional<bool> add_bos;  // absent: the model's own rule
  std::optional<bool> add_eos;
  std::optional<bool> add_space_prefix;  // "llama", "t5"
  std::optional<bool> remove_extra_whitespaces;
};

// encode() with add_special_tokens puts BOS and EOS (or CLS and SEP) where the file asks for them. Control tokens in
// the text itself are recognised, as in every Tokenizer. Throws Error(kInvalid) naming `source` and what is missing,
// out of range or not supported.
std::unique_ptr<Tokenizer> make_tokenizer(const GgufVocabulary& vocabulary, const std::string& source);

}  // namespace slipway::text
