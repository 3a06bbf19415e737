// ModernBERT (Warner et al. 2024): norms before the blocks, rotary positions, GeGLU, two of three layers with a window.
#include <algorithm>
#include <fmt/format.h>

#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kEncoder[] = {{"embeddings.word_embeddings", "embeddings.tok_embeddings"},
                               {"embeddings.LayerNorm", "embeddings.norm"}};
constexpr Rename kLayer[] = {{"attention.self.qkv", "attn.Wqkv"},
                             {"attention.output.dense", "attn.Wo"},
                             {"attention.output.LayerNorm", "attn_norm"},
                             {"intermediate.dense", "mlp.Wi"},
                             {"output.dense", "mlp.Wo"},
                             {"output.LayerNorm", "mlp_norm"}};
constexpr Rename kHeads[] = {{"pooler.dense", "head.dense"},     {"pooler.norm", "head.norm"},
                             {"token_classifier", "classifier"}, {"qa_outputs", "classifier"},
                             {"transform.dense", "head.dense"},  {"transform.norm", "head.norm"}};

// The base of a kind of layer's rotary positions: rope_parameters of today's files, *_rope_theta of those before.
float theta_of(const ConfigReader& config, const char* kind, const char* old_key, double fallback) {
  if (const base::Json* all = config.find("rope_parameters"); all != nullptr && all->is_object()) {
    const auto one = all->find(kind);
    if (one != all->end() && one->is_object()) {
      const ConfigReader reader(*one, fmt::format("{} rope_parameters.{}", config.source(), kind));
      if (reader.text_or("rope_type", "default") != "default") {
        reader.fail("'rope_type' is not default, the one that is supported");
      }
      return static_cast<float>(reader.number_or("rope_theta", fallback, 1, 1e12));
    }
  }
  return static_cast<float>(config.number_or(old_key, fallback, 1, 1e12));
}

std::vector<int> windows(const ConfigReader& config, int layers) {
  const int window = config.size_or("local_attention", 128, 2, 1'000'000) / 2;
  std::vector<int> all;
  if (const base::Json* types = config.find("layer_types")) {
    if (!types->is_array() || types->size() != static_cast<size_t>(layers)) {
      config.fail("'layer_types' must name one type a layer");
    }
    for (const base::Json& type : *types) {
      if (type != "full_attention" && type != "sliding_attention") {
        config.fail("'layer_types' has a type that is neither full_attention nor sliding_attention");
      }
      all.push_back(type == "full_attention" ? 0 : window);
    }
    return all;
  }
  const int every = config.size_or("global_attn_every_n_layers", 3, 1, 1'000);
  for (int i = 0; i < layers; ++i) {
    all.push_back(i % every == 0 ? 0 : window);
  }
  return all;
}

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = 0;
  spec.position_table = false;
  spec.pre_norm = true;
  spec.gated = true;
  spec.attention_bias = config.flag_or("attention_bias", false);
  spec.mlp_bias = config.flag_or("mlp_bias", false);
  spec.norm_bias = config.flag_or("norm_bias", false);
  spec.head_bias = config.flag_or("classifier_bias", false);
  spec.decoder_bias = config.flag_or("decoder_bias", true);
  const std::string activation = config.text_or("classifier_activation", "gelu");
  if (activation != "gelu") {
    config.fail(fmt::format("'classifier_activation' is '{}'; supported: gelu", activation));
  }
  spec.pooler_activation = activation;
  const std::string pooling = config.text_or("classifier_pooling", "cls");
  if (pooling != "cls" && pooling != "mean") {
    config.fail(fmt::format("'classifier_pooling' is '{}'; supported: cls, mean", pooling));
  }
  spec.mean_classifier = pooling == "mean";
  spec.layer_window = windows(config, spec.num_layers);
  spec.rope_theta_global = theta_of(config, "full_attention", "global_rope_theta", 160'000);
  spec.rope_theta_local = theta_of(config, "sliding_attention", "local_rope_theta", 10'000);
  if (spec.num_heads > 0 && (spec.hidden_size / spec.num_heads) % 2 != 0) {
    config.fail("rotary positions need an even number of channels a head");
  }
}

}  // namespace

const EncoderFamily kModernBertFamily = {.architecture = Architecture::kModernBert,
                                         .model_type = "modernbert",
                                         .class_name = "ModernBert",
                                         .title = "ModernBERT",
                                         .prefix = "model.",
                                         .layers = "layers.",
                                         .encoder = kEncoder,
                                         .layer = kLayer,
                                         .heads = kHeads,
                                         .joined_qkv = true,
                                         .transform_always = true,
                                         .keys = {.activation = "hidden_activation",
                                                  .layer_norm_eps = "norm_eps",
                                                  .dropout = "mlp_dropout",
                                                  .attention_dropout = "attention_dropout"},
                                         .default_eps = 1e-5F,
                                         .read = read};

}  // namespace slipway::model
