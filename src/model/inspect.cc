#include "model/inspect.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "model/decoder_files.h"
#include "model/folder.h"
#include "model/gguf.h"
#include "model/recurrent_spec.h"
#include "model/safetensors_source.h"
#include "model/torch_file.h"
#include "model/word_vectors.h"
#include "model/zip.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr size_t kShownItems = 8;  // of an array in metadata: a vocabulary has 100,000
constexpr size_t kReadmeBytes = size_t{1} << 20;

void add_tensors(Json& out, const TensorSource& source) {
  struct Total {
    int64_t tensors = 0;
    int64_t values = 0;
    uint64_t bytes = 0;
  };
  std::map<DType, Total> types;
  Json list = Json::array();
  Total all;
  for (const auto& [name, tensor] : source.tensors()) {
    Total& total = types[tensor.dtype];
    for (Total* one : {&total, &all}) {
      one->tensors += 1;
      one->values += tensor.count();
      one->bytes += tensor.bytes.size();
    }
    list.push_back(
        {{"name", name}, {"type", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"bytes", tensor.bytes.size()}});
  }
  out["format"] = source.format();
  out["parameters"] = all.values;
  out["bytes"] = all.bytes;
  out["bits_per_weight"] =
      all.values > 0 ? Json(8.0 * static_cast<double>(all.bytes) / static_cast<double>(all.values)) : Json(nullptr);
  out["types"] = Json::array();
  for (const auto& [type, total] : types) {
    out["types"].push_back(
        {{"type", dtype_name(type)}, {"tensors", total.tensors}, {"values", total.values}, {"bytes", total.bytes}});
  }
  out["tensors"] = std::move(list);
}

// "license:" of a README.md's front matter, as Hugging Face writes it; else null.
Json readme_licence(const fs::path& folder) {
  if (!base::is_file(folder / "README.md")) {
    return nullptr;
  }
  std::error_code ignored;
  if (fs::file_size(folder / "README.md", ignored) > kReadmeBytes) {
    return nullptr;
  }
  const std::string text = base::read_file(folder / "README.md", kReadmeBytes);
  if (!text.starts_with("---\n")) {
    return nullptr;
  }
  const std::string front = text.substr(0, text.find("\n---", 4));
  const size_t at = front.find("\nlicense:");
  if (at == std::string::npos) {
    return nullptr;
  }
  std::string value = front.substr(at + 9, front.find('\n', at + 9) - at - 9);
  value.erase(0, value.find_first_not_of(" \"'"));
  value.erase(value.find_last_not_of(" \"'\r") + 1);
  return value.empty() ? Json(nullptr) : Json(value);
}

void add_gguf(Json& out, const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  out["file_version"] = file.version();
  out["architecture"] =
      metadata.text("general.architecture") ? Json(*metadata.text("general.architecture")) : Json(nullptr);
  out["licence"] = metadata.text("general.license") ? Json(*metadata.text("general.license")) : Json(nullptr);
  if (const auto vocabulary = file.vocabulary(); vocabulary) {
    out["tokenizer"] = {{"kind", vocabulary->model},           {"pre", vocabulary->pre},
                        {"tokens", vocabulary->tokens.size()}, {"merges", vocabulary->merges.size()},
                        {"bos_id", vocabulary->bos_id},        {"eos_id", vocabulary->eos_id}};
  }
  out["chat_template"] = !file.chat_template().empty();
  Json all = Json::object();
  for (const auto& [key, value] : metadata.values()) {
    all[key] = metadata.json(value, kShownItems);
  }
  out["metadata"] = std::move(all);
  try {
    out["decoder"] = describe_spec(decoder_spec_from_gguf(metadata, file.source()));
  } catch (const Error& error) {
    out["decoder_error"] = error.what();
  }
}

void add_folder(Json& out, const fs::path& folder) {
  const fs::path config_path = folder / kConfigFile;
  if (base::is_file(config_path)) {
    const Json config = base::parse_json(base::read_file(config_path, size_t{16} << 20), config_path.string());
    const auto type = config.is_object() ? config.find("model_type") : config.end();
    out["architecture"] = type != config.end() && type->is_string() ? *type : Json(nullptr);
    try {
      if (is_seq2seq_config(config)) {
        out["encoder_decoder"] = describe_spec(seq2seq_spec_from_config(config, config_path.string()));
      } else if (is_recurrent_config(config)) {
        out["recurrent"] = describe_spec(recurrent_spec_from_config(config, config_path.string()));
      } else {
        out["decoder"] = describe_spec(decoder_spec_from_config(config, config_path.string()));
      }
    } catch (const Error& error) {
      out["decoder_error"] = error.what();
    }
  }
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "spiece.model", "source.spm", "sentencepiece.bpe.model", "vocab.txt"}) {
    if (out["tokenizer"].is_null() && base::is_file(folder / name)) {
      out["tokenizer"] = {{"kind", name}};
    }
  }
  bool chat = base::is_file(folder / "chat_template.jinja");
  if (base::is_file(folder / "tokenizer_config.json")) {
    const Json config =
        base::parse_json(base::read_file(folder / "tokenizer_config.json", size_t{16} << 20), "tokenizer_config.json");
    chat = chat || (config.is_object() && config.contains("chat_template") && !config.at("chat_template").is_null());
  }
  out["chat_template"] = chat;
  out["licence"] = readme_licence(folder);
}

// Static word vectors by their name; a .bin is PyTorch's when it is a zip or begins as a pickle does.
bool is_word_vectors(const fs::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".bin") {
    std::ifstream file(path, std::ios::binary);
    std::string begin(4, '\0');
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    return !is_zip(begin) && begin[0] != '\x80';
  }
  return extension == ".vec" || extension == ".txt";
}

void add_word_vectors(Json& out, const fs::path& path) {
  const WordVectors vectors = WordVectors::load(path);
  const auto values = static_cast<int64_t>(vectors.size()) * vectors.dim();
  out["format"] = word_vector_format_name(vectors.format());
  out["architecture"] = architecture_name(Architecture::kWordVectors);
  out["word_vectors"] = {{"words", vectors.size()}, {"dimensions", vectors.dim()}};
  out["parameters"] = values;
  out["bytes"] = values * static_cast<int64_t>(sizeof(float));
  out["bits_per_weight"] = 32.0;
  out["tensors"] = Json::array();
}

}  // namespace

Json describe_spec(const DecoderSpec& spec) {
  const int window =
      spec.layer_window.empty() ? 0 : *std::max_element(spec.layer_window.begin(), spec.layer_window.end());
  return {{"family", family_name(spec.family)},
          {"vocab_size", spec.vocab_size},
          {"hidden_size", spec.hidden_size},
          {"num_hidden_layers", spec.num_layers},
          {"num_attention_heads", spec.num_heads},
          {"num_key_value_heads", spec.num_kv_heads},
          {"head_dim", spec.head_dim},
          {"intermediate_size", spec.intermediate_size},
          {"max_position_embeddings", spec.max_positions},
          {"rope_theta", spec.rope.rotary_dim > 0 ? Json(spec.rope.theta) : Json(nullptr)},
          {"sliding_window", window > 0 ? Json(window) : Json(nullptr)},
          {"bos_token_id", spec.bos_id},
          {"eos_token_id", spec.eos_ids},
          {"kv_cache_bytes_per_token_f16", spec.kv_bytes_per_token(2)}};
}

Json describe_spec(const Seq2SeqSpec& spec) {
  const auto half = [](const Seq2SeqStack& stack) {
    return Json{{"layers", stack.num_layers},
                {"attention_heads", stack.num_heads},
                {"head_dim", stack.head_dim},
                {"ffn_dim", stack.intermediate_size}};
  };
  return {{"family", family_name(spec.family)},
          {"vocab_size", spec.vocab_size},
          {"decoder_vocab_size", spec.decoder_vocab_size},
          {"d_model", spec.hidden_size},
          {"encoder", half(spec.encoder)},
          {"decoder", half(spec.decoder)},
          {"max_position_embeddings", spec.max_positions > 0 ? Json(spec.max_positions) : Json(nullptr)},
          {"pad_token_id", spec.pad_id},
          {"eos_token_id", spec.eos_ids},
          {"decoder_start_token_id", spec.decoder_start_id}};
}

Json describe_spec(const RecurrentSpec& spec) {
  return {{"cell", cell_name(spec.cell)},
          {"vocab_size", spec.vocab_size},
          {"embedding_dim", spec.embedding_dim},
          {"hidden_size", spec.hidden_size},
          {"num_layers", spec.num_layers},
          {"bidirectional", spec.bidirectional},
          {"tie_word_embeddings", spec.tied_embeddings},
          {"eos_token_id", spec.eos_ids},
          {"state_bytes_f32", spec.state_values() * 4}};
}

Json inspect_weights(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error(Code::kNotFound, fmt::format("'{}' does not exist", path.string()));
  }
  Json out = {{"path", path.string()},      {"format", nullptr},      {"architecture", nullptr},
              {"decoder", nullptr},         {"parameters", 0},        {"bytes", 0},
              {"bits_per_weight", nullptr}, {"types", Json::array()}, {"tokenizer", nullptr},
              {"chat_template", false},     {"licence", nullptr}};
  if (fs::is_directory(path, ignored)) {
    add_folder(out, path);
    const auto weights = find_weights(path);
    if (!weights) {
      throw Error(Code::kNotFound,
                  fmt::format("'{}' has no weights that are read: none of {}", path.string(), kWeightFiles));
    }
    add_tensors(out, *open_weights(*weights));
    return out;
  }
  if (is_gguf_file(path)) {
    const GgufFile file(path);
    add_gguf(out, file);
    add_tensors(out, file);
    return out;
  }
  if (is_word_vectors(path)) {
    add_word_vectors(out, path);
    return out;
  }
  const auto source = open_weights(path);
  if (const auto* safetensors = dynamic_cast<const SafetensorsSource*>(source.get()); safetensors != nullptr) {
    out["metadata"] = safetensors->metadata();
  }
  add_tensors(out, *source);
  return out;
}

}  // namespace slipway::model
