// What is in a model's file or folder, for people and scripts: nothing is computed, weights are not read. Any thread.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "model/decoder_spec.h"
#include "model/recurrent_spec.h"
#include "model/seq2seq_spec.h"
#include "model/tensor_source.h"

namespace slipway::model {

// A decoder's folder, a folder or file of weights of any model, a .gguf with or without weights, static word vectors:
//   {"path", "format": "gguf" | "safetensors" | "pytorch", "file_version": GGUF's, "architecture": name or null,
//    "decoder": describe_spec() or null, "encoder_decoder", "recurrent": the same of one, "word_vectors":
//    {"words", "dimensions"} (else absent), "decoder_error": why
//    neither, "parameters", "bytes", "bits_per_weight", "types": [{"type", "tensors", "values", "bytes"}], "tokenizer":
//    {"kind", "tokens", ...} or null, "chat_template": bool, "licence": text or null, "tensors": [{"name", "type",
//    "shape", "bytes"}], "metadata":
//    {...}}
// Throws as the readers of the files do; a description that is not supported is told in "decoder_error" instead.
base::Json inspect_weights(const std::filesystem::path& path);

// Sizes and switches of a spec under config.json's names.
base::Json describe_spec(const DecoderSpec& spec);
base::Json describe_spec(const Seq2SeqSpec& spec);
base::Json describe_spec(const RecurrentSpec& spec);

}  // namespace slipway::model
