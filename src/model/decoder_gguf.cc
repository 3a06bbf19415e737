// DecoderSpec from GGUF metadata: the keys are put under the names of config.json, so that one reader
// (decoder_config.cc) knows bounds, defaults and what is special about a family.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "model/decoder_limits.h"
#include "model/decoder_spec.h"
#include "model/gguf.h"

namespace slipway::model {
namespace {

using base::Json;

struct ArchitectureRow {
  std::string_view gguf;        // general.architecture
  std::string_view model_type;  // of config.json
};
constexpr std::array<ArchitectureRow, 8> kArchitectures = {{{"llama", "llama"},
                                                            {"qwen2", "qwen2"},
                                                            {"qwen3", "qwen3"},
                                                            {"gpt2", "gpt2"},
                                                            {"gptneox", "gpt_neox"},
                                                            {"phi3", "phi3"},
                                                            {"gemma2", "gemma2"},
                                                            {"gemma3", "gemma3_text"}}};

// ARCH.key of GGUF, and config.json's names for it (GPT-2's differ). Whole numbers.
struct SizeRow {
  std::string_view gguf;
  const char* config;
  const char* gpt2;
  bool required;
};
constexpr std::array<SizeRow, 8> kSizes = {{
    {"embedding_length", "hidden_size", "n_embd", true},
    {"block_count", "num_hidden_layers", "n_layer", true},
    {"attention.head_count", "num_attention_heads", "n_head", true},
    {"attention.head_count_kv", "num_key_value_heads", "num_key_value_heads", false},
    {"attention.key_length", "head_dim", "head_dim", false},
    {"feed_forward_length", "intermediate_size", "n_inner", true},
    {"context_length", "max_position_embeddings", "n_positions", true},
    {"attention.sliding_window", "sliding_window", "sliding_window", false},
}};

struct NumberRow {
  std::string_view gguf;
  const char* config;
};
constexpr std::array<NumberRow, 5> kNumbers = {{
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.layer_norm_epsilon", "layer_norm_eps"},
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"rope.freq_base_swa", "rope_local_base_freq"},
}};

class Translator {
 public:
  Translator(const GgufMetadata& metadata, const ArchitectureRow& architecture)
      : metadata_(metadata), architecture_(architecture) {}

  Json config() {
    const bool gpt2 = architecture_.gguf == "gpt2";
    config_["model_type"] = architecture_.model_type;
    for (const SizeRow& row : kSizes) {
      if (const auto value = metadata_.integer(key(row.gguf)); value) {
        config_[gpt2 ? row.gpt2 : row.config] = *value;
      } else if (row.required) {
        fail(fmt::format("'{}' is missing", key(row.gguf)));
      }
    }
    for (const NumberRow& row : kNumbers) {
      if (const auto value = metadata_.number(key(row.gguf)); value) {
        config_[row.config] = *value;
      }
    }
    if (gpt2 && config_.contains("layer_norm_eps")) {
      config_["layer_norm_epsilon"] = config_["layer_norm_eps"];
    }
    if (const auto parallel = metadata_.flag(key("use_parallel_residual")); parallel) {
      config_["use_parallel_residual"] = *parallel;
    }
    config_["vocab_size"] = vocabulary_size();
    refuse_unsupported();
    add_rope();
    add_attention_scale();
    add_ids();
    return std::move(config_);
  }

 private:
  std::string key(std::string_view name) const { return fmt::format("{}.{}", architecture_.gguf, name); }
  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: {}", metadata_.source(), what));
  }

  int64_t vocabulary_size() const {
    if (const auto size = metadata_.integer(key("vocab_size")); size) {
      return *size;
    }
    const auto it = metadata_.values().find("tokenizer.ggml.tokens");
    if (it == metadata_.values().end()) {
      fail(fmt::format("neither '{}' nor 'tokenizer.ggml.tokens' tells the vocabulary's size", key("vocab_size")));
    }
    return it->second.count > kMaxVocab ? int64_t{kMaxVocab} + 1 : static_cast<int64_t>(it->second.count);
  }

  void refuse_unsupported() const {
    if (metadata_.integer(key("expert_count")).value_or(0) > 0) {
      fail(fmt::format("'{}' says a mixture of experts, which is not supported", key("expert_count")));
    }
    const auto key_length = metadata_.integer(key("attention.key_length"));
    const auto value_length = metadata_.integer(key("attention.value_length"));
    if (key_length && value_length && *key_length != *value_length) {
      fail(fmt::format("'{}' and '{}' differ, which is not supported", key("attention.key_length"),
                       key("attention.value_length")));
    }
  }

  int64_t size(const char* name, int64_t fallback) const {
    const auto it = config_.find(name);
    return it == config_.end() ? fallback : it->get<int64_t>();
  }

  void add_rope() {
    if (const auto theta = metadata_.number(key("rope.freq_base")); theta) {
      config_[architecture_.gguf == "gptneox" ? "rotary_emb_base" : "rope_theta"] = *theta;
    }
    if (const auto original = metadata_.integer(key("rope.scaling.original_context_length")); original) {
      config_["original_max_position_embeddings"] = *original;
    }
    const int64_t heads = size("num_attention_heads", 1);
    const int64_t head_dim = size("head_dim", heads > 0 ? size("hidden_size", 0) / heads : 0);
    if (const auto turned = metadata_.integer(key("rope.dimension_count")); turned && head_dim > 0) {
      // config.json gives a share; the middle of the step survives the rounding down.
      config_["partial_rotary_factor"] =
          *turned >= head_dim ? 1.0 : (static_cast<double>(*turned) + 0.5) / static_cast<double>(head_dim);
    }
    const std::string type = metadata_.text(key("rope.scaling.type")).value_or("none");
    if (type == "linear" || type == "yarn") {
      config_["rope_scaling"] = {{"rope_type", type},
                                 {"factor", metadata_.number(key("rope.scaling.factor")).value_or(1)}};
    } else if (type != "none" && type != "longrope") {
      // longrope's factors are tensors, which open_decoder reads.
      fail(fmt::format("'{}' is '{}'; supported: none, linear, yarn, longrope", key("rope.scaling.type"), type));
    }
  }

  // GGUF does not store query_pre_attn_scalar; it is the head's size but for the two largest Gemmas, where it is
  // hidden / heads.
  void add_attention_scale() {
    const int64_t layers = size("num_hidden_layers", 0);
    const int64_t heads = size("num_attention_heads", 1);
    const bool largest =
        (architecture_.gguf == "gemma2" && layers == 46) || (architecture_.gguf == "gemma3" && layers == 62);
    const int64_t share = heads > 0 ? size("hidden_size", 0) / heads : 0;
    config_["query_pre_attn_scalar"] = largest ? share : size("head_dim", share);
  }

  void add_ids() {
    // 32 bits of ones are how some files say "none".
    const auto id = [&](const char* name) {
      const auto number = metadata_.integer(fmt::format("tokenizer.ggml.{}", name));
      return number && *number >= 0 && *number < INT32_MAX ? std::optional(*number) : std::nullopt;
    };
    if (const auto bos = id("bos_token_id"); bos) {
      config_["bos_token_id"] = *bos;
    }
    if (const auto pad = id("padding_token_id"); pad) {
      config_["pad_token_id"] = *pad;
    }
    Json eos = Json::array();
    for (const char* name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
      if (const auto number = id(name); number && std::find(eos.begin(), eos.end(), Json(*number)) == eos.end()) {
        eos.push_back(*number);
      }
    }
    config_["eos_token_id"] = eos;
  }

  const GgufMetadata& metadata_;
  const ArchitectureRow& architecture_;
  Json config_ = Json::object();
};

}  // namespace

DecoderSpec decoder_spec_from_gguf(const GgufMetadata& metadata, const std::string& source) {
  const std::string architecture = metadata.text("general.architecture").value_or("");
  for (const ArchitectureRow& row : kArchitectures) {
    if (row.gguf == architecture) {
      return decoder_spec_from_config(Translator(metadata, row).config(), source);
    }
  }
  throw base::Error(
      base::Code::kInvalid,
      architecture.empty()
          ? fmt::format("{}: 'general.architecture' is missing", source)
          : fmt::format("{}: 'general.architecture' is '{}'; supported: llama, qwen2, qwen3, gpt2, gptneox, phi3, "
                        "gemma2, gemma3",
                        source, architecture));
}

}  // namespace slipway::model
