// An encoder-decoder as it lies on disk: a Hugging Face folder (config.json, safetensors or PyTorch weights in one file
// or in shards, tokenizer files, generation_config.json).
#pragma once

#include <filesystem>
#include <memory>

#include "base/json.h"
#include "model/seq2seq_spec.h"
#include "model/seq2seq_weights.h"

namespace slipway::model {

struct OpenedSeq2Seq {
  std::filesystem::path path;
  Seq2SeqSpec spec;
  std::shared_ptr<const Seq2SeqWeights> weights;
  base::Json config;             // config.json
  base::Json tokenizer_config;   // tokenizer_config.json, {} when there is none
  base::Json generation_config;  // generation_config.json, {} when there is none
};

// Maps the weights and reads the small files. Throws Error(kNotFound) naming what is missing, kInvalid for a
// configuration that is not supported, kIntegrity for damaged files.
OpenedSeq2Seq open_seq2seq(const std::filesystem::path& folder);
// True for a folder whose config.json is an encoder-decoder's.
bool is_seq2seq_path(const std::filesystem::path& path) noexcept;

}  // namespace slipway::model
