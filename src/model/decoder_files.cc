#include "model/decoder_files.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "model/config_reader.h"
#include "model/folder.h"
#include "model/folder_parts.h"
#include "model/gguf.h"
#include "model/recurrent_spec.h"
#include "model/safetensors_source.h"
#include "model/seq2seq_spec.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxTemplateBytes = size_t{4} << 20;

// "bos_token": a text, or an added token's description.
std::string token_text(const Json& tokenizer_config, const char* key) {
  const auto it = tokenizer_config.find(key);
  if (it == tokenizer_config.end()) {
    return "";
  }
  if (it->is_object() && it->contains("content") && it->at("content").is_string()) {
    return it->at("content").get<std::string>();
  }
  return it->is_string() ? it->get<std::string>() : "";
}

// chat_template.jinja, else "chat_template" of tokenizer_config.json: a text, or a list of named ones with a "default".
std::string read_chat_template(const fs::path& folder, const Json& tokenizer_config) {
  if (base::is_file(folder / "chat_template.jinja")) {
    return base::read_file(folder / "chat_template.jinja", kMaxTemplateBytes);
  }
  const auto it = tokenizer_config.find("chat_template");
  if (it == tokenizer_config.end()) {
    return "";
  }
  if (it->is_array()) {
    for (const Json& one : *it) {
      if (one.is_object() && one.value("name", Json()) == "default" && one.contains("template") &&
          one.at("template").is_string()) {
        return one.at("template").get<std::string>();
      }
    }
  }
  return it->is_string() ? it->get<std::string>() : "";
}

OpenedDecoder open_folder(const fs::path& path) {
  const fs::path config_path = path / kConfigFile;
  if (!base::is_file(config_path)) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no {}: it is not a model's folder", path.string(), kConfigFile));
  }
  OpenedDecoder out;
  out.path = path;
  const Json config = read_config_object(config_path);
  if (is_seq2seq_config(config)) {
    throw Error(Code::kInvalid, fmt::format("'{}' is an encoder-decoder, which makes texts from texts: use `slipway "
                                            "predict` or `slipway serve`",
                                            path.string()));
  }
  out.spec = decoder_spec_from_config(config, config_path.string());
  static_cast<TextFiles&>(out) = read_text_files(path);
  add_eos_ids(out.spec.eos_ids, out.spec.vocab_size, out.generation_config, (path / "generation_config.json").string());
  out.weights = std::make_shared<DecoderWeights>(out.spec, open_folder_weights(path));
  return out;
}

// What GGUF tells by which tensors are there, not by metadata.
void read_gguf_tensors(DecoderSpec& spec, const GgufFile& file) {
  spec.tied_embeddings = file.find("output.weight") == nullptr;
  spec.qkv_bias = file.find("blk.0.attn_q.bias") != nullptr || file.find("blk.0.attn_qkv.bias") != nullptr;
  spec.output_bias = file.find("blk.0.attn_output.bias") != nullptr;
  spec.mlp_bias = file.find("blk.0.ffn_down.bias") != nullptr;
  if (file.find("rope_freqs.weight") != nullptr) {
    spec.rope.scaling = RopeScaling::kFactors;
    spec.rope.factors = file.read_f32("rope_freqs.weight");
  }
  if (file.find("rope_factors_long.weight") != nullptr && file.find("rope_factors_short.weight") != nullptr) {
    spec.rope.scaling = RopeScaling::kLongRope;
    spec.rope.factors = file.read_f32("rope_factors_short.weight");
    spec.rope.long_factors = file.read_f32("rope_factors_long.weight");
    const std::string architecture = file.metadata().text("general.architecture").value_or("");
    spec.rope.attention_factor = file.metadata().number(architecture + ".rope.scaling.attn_factor").value_or(1);
  }
  if (spec.family != DecoderFamily::kGemma3) {
    spec.local_rope = spec.rope;
  }
  check_decoder_spec(spec, file.source());
}

OpenedDecoder open_gguf(const fs::path& path) {
  const auto file = std::make_shared<GgufFile>(path);
  OpenedDecoder out;
  out.path = path;
  out.spec = decoder_spec_from_gguf(file->metadata(), path.string());
  read_gguf_tensors(out.spec, *file);
  out.gguf = file;
  out.chat_template = file->chat_template();
  out.tokenizer_config = Json::object();
  out.generation_config = Json::object();
  if (const auto vocabulary = file->vocabulary(); vocabulary) {
    const auto token = [&](int id) {
      return id >= 0 && static_cast<size_t>(id) < vocabulary->tokens.size()
                 ? vocabulary->tokens[static_cast<size_t>(id)]
                 : std::string();
    };
    out.bos_token = token(vocabulary->bos_id);
    out.eos_token = token(vocabulary->eos_id);
  }
  out.weights = std::make_shared<DecoderWeights>(out.spec, file);
  return out;
}

}  // namespace

TextFiles read_text_files(const fs::path& folder) {
  TextFiles out;
  out.tokenizer_config = read_config_object(folder / "tokenizer_config.json");
  out.generation_config = read_config_object(folder / "generation_config.json");
  for (const char* name : {"tokenizer.json", "tokenizer.model"}) {
    if (out.tokenizer.empty() && base::is_file(folder / name)) {
      out.tokenizer = folder / name;
    }
  }
  out.chat_template = read_chat_template(folder, out.tokenizer_config);
  out.bos_token = token_text(out.tokenizer_config, "bos_token");
  out.eos_token = token_text(out.tokenizer_config, "eos_token");
  return out;
}

void add_eos_ids(std::vector<int>& eos_ids, int vocab_size, const Json& generation, const std::string& source) {
  const auto it = generation.find("eos_token_id");
  if (it == generation.end() || it->is_null()) {
    return;
  }
  const Json ids = it->is_array() ? *it : Json::array({*it});
  for (const Json& id : ids) {
    const Json one = {{"eos_token_id", id}};
    const int number = ConfigReader(one, source).size("eos_token_id", 0, vocab_size - 1);
    if (std::find(eos_ids.begin(), eos_ids.end(), number) == eos_ids.end()) {
      eos_ids.push_back(number);
    }
  }
}

OpenedDecoder open_decoder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error(Code::kNotFound, fmt::format("'{}' does not exist", path.string()));
  }
  return fs::is_directory(path, ignored) ? open_folder(path) : open_gguf(path);
}

bool is_decoder_path(const fs::path& path) noexcept {
  try {
    if (is_gguf_file(path) || !base::is_file(path / kConfigFile)) {
      return is_gguf_file(path);
    }
    const Json config = read_config_object(path / kConfigFile);
    return is_decoder_config(config) || is_recurrent_lm_config(config);
  } catch (const std::exception&) {
    return false;  // whoever opens it says why
  }
}

}  // namespace slipway::model
