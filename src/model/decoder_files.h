// A decoder as it lies on disk: a Hugging Face folder (config.json, safetensors or PyTorch weights in one file or in
// shards, tokenizer files, generation_config.json) or one .gguf file that has everything.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "model/decoder_spec.h"
#include "model/decoder_weights.h"

namespace slipway::model {

class GgufFile;  // gguf.h

// What stands beside the weights of a model that writes texts.
struct TextFiles {
  std::filesystem::path tokenizer;  // tokenizer.json, else tokenizer.model, of a folder; empty when there is none
  std::string chat_template;        // Jinja text; empty when the model has none
  std::string bos_token;            // as chat templates want them; empty when there is none
  std::string eos_token;
  base::Json tokenizer_config;   // tokenizer_config.json, {} when there is none
  base::Json generation_config;  // generation_config.json, {} when there is none
};
// Of a Hugging Face folder. Throws Error(kInvalid) for a file that is no JSON object.
TextFiles read_text_files(const std::filesystem::path& folder);
// generation_config.json may end a text at more tokens than config.json does (Llama 3's <|eot_id|>).
void add_eos_ids(std::vector<int>& eos_ids, int vocab_size, const base::Json& generation, const std::string& source);

struct OpenedDecoder : TextFiles {
  std::filesystem::path path;
  DecoderSpec spec;
  std::shared_ptr<const DecoderWeights> weights;
  std::shared_ptr<const GgufFile> gguf;  // when the model is a .gguf: metadata, tokenizer.* keys included
};

// Maps the weights and reads the small files. Throws Error(kNotFound) naming what is missing, kInvalid for a
// configuration that is not supported, kIntegrity for damaged files. eos ids of generation_config.json are added to
// spec.eos_ids.
OpenedDecoder open_decoder(const std::filesystem::path& path);
// True for a .gguf file and for a folder whose config.json is a decoder's or a recurrent language model's: what
// engine::load_generator takes.
bool is_decoder_path(const std::filesystem::path& path) noexcept;

}  // namespace slipway::model
