// DecoderSpec from a Hugging Face config.json: one row a model_type with what transformers assumes when the file is
// silent, then what is special about a family.
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "model/config_parts.h"
#include "model/config_reader.h"
#include "model/decoder_limits.h"
#include "model/decoder_spec.h"

namespace slipway::model {
namespace {

using base::Json;

struct TypeRow {
  const char* model_type;
  DecoderFamily family;
  double norm_eps;
  double rope_theta;
  int max_positions;  // 0: the file must say
  bool tied_embeddings;
  const char* activation;
};
constexpr std::array<TypeRow, 9> kTypes = {{
    {"llama", DecoderFamily::kLlama, 1e-6, 1e4, 2048, false, "silu"},
    {"mistral", DecoderFamily::kLlama, 1e-6, 1e4, 0, false, "silu"},
    {"qwen2", DecoderFamily::kQwen2, 1e-6, 1e4, 0, false, "silu"},
    {"qwen3", DecoderFamily::kQwen3, 1e-6, 1e4, 0, false, "silu"},
    {"gpt2", DecoderFamily::kGpt2, 1e-5, 1e4, 1024, true, "gelu_new"},
    {"gpt_neox", DecoderFamily::kGptNeoX, 1e-5, 1e4, 0, false, "gelu"},
    {"phi3", DecoderFamily::kPhi3, 1e-5, 1e4, 0, false, "silu"},
    {"gemma2", DecoderFamily::kGemma2, 1e-6, 1e4, 8192, true, "gelu_pytorch_tanh"},
    {"gemma3_text", DecoderFamily::kGemma3, 1e-6, 1e6, 131'072, true, "gelu_pytorch_tanh"},
}};

const TypeRow* find_type(std::string_view model_type) noexcept {
  const auto* row =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& one) { return model_type == one.model_type; });
  return row == kTypes.end() ? nullptr : row;
}

// rope_parameters (transformers 5), else rope_scaling with rope_theta beside it. `section` is the object that describes
// the scaling, an empty one when there is none.
void read_scaling(RopeSpec& rope, const ConfigReader& section, const ConfigReader& config, int max_positions) {
  const std::string type = section.text_or("rope_type", section.text_or("type", "default"));
  rope.factor = section.number_or("factor", 1, 1e-6, kMaxRopeFactor);
  rope.original_max_positions =
      section.size_or("original_max_position_embeddings",
                      config.size_or("original_max_position_embeddings", 0, 1, kMaxPositions), 1, kMaxPositions);
  const auto pairs = static_cast<size_t>(rope.rotary_dim / 2);
  if (type == "default") {
    rope.factor = 1;
  } else if (type == "linear") {
    rope.scaling = RopeScaling::kLinear;
  } else if (type == "llama3") {
    rope.scaling = RopeScaling::kLlama3;
    rope.low_freq_factor = section.number_or("low_freq_factor", 1, 1e-6, kMaxRopeFactor);
    rope.high_freq_factor = section.number_or("high_freq_factor", 4, 1e-6, kMaxRopeFactor);
  } else if (type == "longrope" || type == "su") {
    rope.scaling = RopeScaling::kLongRope;
    rope.factors = section.numbers("short_factor", pairs, 1e-6, kMaxRopeFactor);
    rope.long_factors = section.numbers("long_factor", pairs, 1e-6, kMaxRopeFactor);
    if (!section.has("factor") && rope.original_max_positions > 0) {
      rope.factor = static_cast<double>(max_positions) / rope.original_max_positions;
    }
    const double derived = rope.factor <= 1 || rope.original_max_positions < 2
                               ? 1
                               : std::sqrt(1 + std::log(rope.factor) / std::log(rope.original_max_positions));
    rope.attention_factor = section.number_or("attention_factor", derived, 1e-6, kMaxRopeFactor);
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    if (rope.original_max_positions == 0) {
      rope.original_max_positions = max_positions;
    }
    rope.beta_fast = section.number_or("beta_fast", 32, 1e-6, kMaxRopeFactor);
    rope.beta_slow = section.number_or("beta_slow", 1, 1e-6, kMaxRopeFactor);
    const double derived = rope.factor <= 1 ? 1 : 0.1 * std::log(rope.factor) + 1;
    rope.attention_factor = section.number_or("attention_factor", derived, 1e-6, kMaxRopeFactor);
    for (const char* key : {"mscale", "mscale_all_dim", "truncate"}) {
      if (section.has(key)) {
        config.fail(fmt::format("rope scaling 'yarn' with '{}' is not supported", key));
      }
    }
  } else {
    config.fail(
        fmt::format("rope scaling '{}' is not supported; supported: default, linear, llama3, longrope, yarn", type));
  }
}

// `layers` picks the part of rope_parameters when it has one for each kind of layer (Gemma 3).
RopeSpec read_rope(const ConfigReader& config, const DecoderSpec& spec, double theta, const char* layers, bool scaled) {
  static const Json kEmpty = Json::object();
  const Json* section = config.find("rope_parameters");
  if (section == nullptr) {
    section = scaled ? config.find("rope_scaling") : nullptr;
  } else if (section->is_object() && section->contains(layers)) {
    section = &section->at(layers);
  }
  if (section != nullptr && !section->is_object()) {
    config.fail("'rope_parameters' or 'rope_scaling' must be an object");
  }
  const ConfigReader reader(section == nullptr ? kEmpty : *section, config.source());
  RopeSpec rope;
  const char* theta_key = spec.family == DecoderFamily::kGptNeoX ? "rotary_emb_base" : "rope_theta";
  rope.theta = reader.number_or("rope_theta", scaled ? config.number_or(theta_key, theta, 1, kMaxRopeTheta) : theta, 1,
                                kMaxRopeTheta);
  const double old_share = config.number_or(
      "rotary_pct", config.number_or("partial_rotary_factor", spec.family == DecoderFamily::kGptNeoX ? 0.25 : 1, 0, 1),
      0, 1);
  rope.rotary_dim = static_cast<int>(spec.head_dim * reader.number_or("partial_rotary_factor", old_share, 0, 1));
  read_scaling(rope, reader, config, spec.max_positions);
  return rope;
}

// sliding_window for the layers that layer_types calls sliding, or that the family's pattern says.
std::vector<int> read_windows(const ConfigReader& config, const DecoderSpec& spec, std::string_view model_type) {
  std::vector<int> windows(static_cast<size_t>(spec.num_layers), 0);
  const bool gemma = spec.family == DecoderFamily::kGemma2 || spec.family == DecoderFamily::kGemma3;
  const bool qwen = spec.family == DecoderFamily::kQwen2 || spec.family == DecoderFamily::kQwen3;
  const int window = config.size_or("sliding_window", gemma ? 4096 : 0, 0, kMaxPositions);
  const bool every_layer = model_type == "mistral" || model_type == "phi3";
  if (window == 0 || !(gemma || qwen || every_layer) || (qwen && !config.flag_or("use_sliding_window", false))) {
    return windows;
  }
  if (const Json* types = config.find("layer_types"); types != nullptr) {
    if (!types->is_array() || types->size() != windows.size()) {
      config.fail(fmt::format("'layer_types' must be a list of {} names", windows.size()));
    }
    for (size_t i = 0; i < windows.size(); ++i) {
      const Json& type = (*types)[i];
      if (type != "sliding_attention" && type != "full_attention") {
        config.fail(fmt::format("'layer_types' number {} must be sliding_attention or full_attention", i));
      }
      windows[i] = type == "sliding_attention" ? window : 0;
    }
    return windows;
  }
  const int pattern =
      spec.family == DecoderFamily::kGemma2 ? 2 : config.size_or("sliding_window_pattern", 6, 1, kMaxLayers);
  const int first = qwen ? config.size_or("max_window_layers", 28, 0, kMaxLayers) : 0;
  for (int i = 0; i < spec.num_layers; ++i) {
    const bool sliding = every_layer || (qwen ? i >= first : (i + 1) % pattern != 0);
    windows[static_cast<size_t>(i)] = sliding ? window : 0;
  }
  return windows;
}

void read_ids(DecoderSpec& spec, const ConfigReader& config) {
  spec.bos_id = config.size_or("bos_token_id", -1, -1, spec.vocab_size - 1);
  spec.pad_id = config.size_or("pad_token_id", -1, -1, spec.vocab_size - 1);
  spec.eos_ids = read_eos_ids(config, spec.vocab_size);
}

void read_gpt2(DecoderSpec& spec, const ConfigReader& config) {
  spec.hidden_size = config.size("n_embd", 1, kMaxHidden);
  spec.num_layers = config.size("n_layer", 1, kMaxLayers);
  spec.num_heads = config.size("n_head", 1, kMaxHeads);
  spec.num_kv_heads = spec.num_heads;
  spec.intermediate_size = config.size_or("n_inner", 4 * spec.hidden_size, 1, kMaxIntermediate);
  spec.max_positions = config.size_or("n_positions", 1024, 1, kMaxPositions);
  spec.norm_eps = static_cast<float>(config.number_or("layer_norm_epsilon", 1e-5, 1e-12, 1));
  spec.learned_positions = true;
  spec.qkv_bias = spec.output_bias = spec.mlp_bias = true;
  if (!config.flag_or("scale_attn_weights", true) || config.flag_or("scale_attn_by_inverse_layer_idx", false)) {
    config.fail("'scale_attn_weights' false and 'scale_attn_by_inverse_layer_idx' true are not supported");
  }
  if (config.flag_or("add_cross_attention", false)) {
    config.fail("'add_cross_attention' is true: half of an encoder-decoder, which is not supported");
  }
}

void read_sizes(DecoderSpec& spec, const ConfigReader& config, const TypeRow& type) {
  const bool gemma3 = spec.family == DecoderFamily::kGemma3;  // its published configurations leave these four out
  spec.hidden_size = config.size("hidden_size", 1, kMaxHidden);
  spec.num_layers = config.size("num_hidden_layers", 1, kMaxLayers);
  spec.num_heads = gemma3 ? config.size_or("num_attention_heads", 8, 1, kMaxHeads)
                          : config.size("num_attention_heads", 1, kMaxHeads);
  spec.num_kv_heads = config.size_or("num_key_value_heads", gemma3 ? 4 : spec.num_heads, 1, kMaxHeads);
  spec.head_dim = config.size_or("head_dim", gemma3 ? 256 : 0, 1, kMaxHeadDim);
  spec.intermediate_size = config.size("intermediate_size", 1, kMaxIntermediate);
  spec.max_positions = type.max_positions == 0
                           ? config.size("max_position_embeddings", 1, kMaxPositions)
                           : config.size_or("max_position_embeddings", type.max_positions, 1, kMaxPositions);
  const char* eps = spec.norm == NormKind::kLayer ? "layer_norm_eps" : "rms_norm_eps";
  spec.norm_eps = static_cast<float>(config.number_or(eps, type.norm_eps, 1e-12, 1));
}

void refuse_unsupported(const ConfigReader& config) {
  if (const Json* quantised = config.find("quantization_config"); quantised != nullptr) {
    const ConfigReader section(*quantised, config.source());
    config.fail(fmt::format(
        "the weights are quantised by '{}', which is not supported; use the original weights or a GGUF file",
        section.text_or("quant_method", "?")));
  }
  if (config.flag_or("use_bidirectional_attention", false)) {
    config.fail("'use_bidirectional_attention' is true: an encoder, not a decoder");
  }
}

// The text model's part of a config.json that also has a vision model (Gemma 3).
const Json& text_part(const Json& config) {
  const bool nested = config.contains("text_config") && config.at("text_config").is_object();
  return nested && config.value("model_type", "") == "gemma3" ? config.at("text_config") : config;
}

std::string type_of(const Json& config) {
  const auto it = config.find("model_type");
  const std::string type = it != config.end() && it->is_string() ? it->get<std::string>() : "";
  return type == "gemma3" ? "gemma3_text" : type;
}

}  // namespace

bool is_decoder_config(const Json& config) noexcept {
  const auto it = config.is_object() ? config.find("model_type") : config.end();
  return config.is_object() && it != config.end() && it->is_string() && find_type(type_of(config)) != nullptr;
}

DecoderSpec decoder_spec_from_config(const Json& whole, const std::string& source) {
  if (!whole.is_object()) {
    ConfigReader(whole, source).fail("a model's configuration must be a JSON object");
  }
  const std::string model_type = type_of(whole);
  const TypeRow* type = find_type(model_type);
  const Json& part = text_part(whole);
  const ConfigReader config(part, source);
  if (type == nullptr) {
    config.fail(
        model_type.empty()
            ? "'model_type' is missing"
            : fmt::format(
                  "'model_type' is '{}'; supported decoders: llama, mistral, qwen2, qwen3, gpt2, gpt_neox, phi3, "
                  "gemma2, gemma3_text",
                  model_type));
  }
  refuse_unsupported(ConfigReader(whole, source));
  refuse_unsupported(config);
  DecoderSpec spec;
  spec.family = type->family;
  const bool gemma = spec.family == DecoderFamily::kGemma2 || spec.family == DecoderFamily::kGemma3;
  const bool neox = spec.family == DecoderFamily::kGptNeoX;
  const bool gpt2 = spec.family == DecoderFamily::kGpt2;
  spec.norm = neox || gpt2 ? NormKind::kLayer : NormKind::kRms;
  spec.vocab_size = spec.family == DecoderFamily::kGemma3 ? config.size_or("vocab_size", 262'208, 1, kMaxVocab)
                                                          : config.size("vocab_size", 1, kMaxVocab);
  if (gpt2) {
    read_gpt2(spec, config);
  } else {
    read_sizes(spec, config, *type);
  }
  if (spec.head_dim == 0) {
    if (spec.hidden_size % spec.num_heads != 0) {
      config.fail(fmt::format("hidden size {} is not a multiple of {} attention heads and 'head_dim' is missing",
                              spec.hidden_size, spec.num_heads));
    }
    spec.head_dim = spec.hidden_size / spec.num_heads;
  }
  const char* activation = gpt2 ? "activation_function" : gemma ? "hidden_activation" : "hidden_act";
  spec.activation = activation_of(config.text_or(activation, type->activation), config);
  spec.gated_mlp = !neox && !gpt2;
  spec.tied_embeddings = config.flag_or("tie_word_embeddings", type->tied_embeddings);
  if (!gpt2) {
    // Qwen2 always has biases on q, k, v and never on o.
    const bool bias = config.flag_or("attention_bias", neox || spec.family == DecoderFamily::kQwen2);
    spec.qkv_bias = bias || spec.family == DecoderFamily::kQwen2;
    spec.output_bias = bias && spec.family != DecoderFamily::kQwen2;
    spec.mlp_bias = neox || config.flag_or("mlp_bias", false);
    spec.rope = read_rope(config, spec, type->rope_theta, "full_attention", true);
    spec.local_rope = spec.family == DecoderFamily::kGemma3
                          ? read_rope(config, spec, config.number_or("rope_local_base_freq", 1e4, 1, kMaxRopeTheta),
                                      "sliding_attention", false)
                          : spec.rope;
  }
  spec.parallel_residual = neox && config.flag_or("use_parallel_residual", true);
  spec.qk_norm = spec.family == DecoderFamily::kQwen3 || spec.family == DecoderFamily::kGemma3;
  spec.sandwich_norms = gemma;
  const double scalar = gemma ? config.number_or("query_pre_attn_scalar", 256, 1e-3, 1e6) : spec.head_dim;
  spec.attention_scale = static_cast<float>(1 / std::sqrt(scalar));
  if (gemma) {
    const bool second = spec.family == DecoderFamily::kGemma2;
    spec.embedding_scale = std::sqrt(static_cast<float>(spec.hidden_size));
    // Gemma 2 has caps unless its file takes them away with a null.
    spec.attention_softcap = static_cast<float>(config.number_or(
        "attn_logit_softcapping", second && !part.contains("attn_logit_softcapping") ? 50 : 0, 0, 1e6));
    spec.final_softcap = static_cast<float>(config.number_or(
        "final_logit_softcapping", second && !part.contains("final_logit_softcapping") ? 30 : 0, 0, 1e6));
  }
  spec.layer_window = read_windows(config, spec, model_type);
  read_ids(spec, config);
  check_decoder_spec(spec, source);
  return spec;
}

}  // namespace slipway::model
