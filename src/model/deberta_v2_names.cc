// DeBERTa-v2 and v3 (He et al. 2021): attention of content to position and position to content over a shared table of
// relative positions, in v2-xlarge with a convolution beside the first layer. What is not supported is refused:
// projections of positions of their own, embeddings of another width.
#include <algorithm>
#include <fmt/format.h>

#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kLayer[] = {{"attention.self.query", "attention.self.query_proj"},
                             {"attention.self.key", "attention.self.key_proj"},
                             {"attention.self.value", "attention.self.value_proj"}};
constexpr Rename kHeads[] = {{"pooler.dense", "pooler.dense"},
                             {"token_classifier", "classifier"},
                             {"transform.dense", "cls.predictions.transform.dense"},
                             {"transform.norm", "cls.predictions.transform.LayerNorm"},
                             {"decoder.weight", "cls.predictions.decoder.weight"},
                             {"decoder.bias", "cls.predictions.bias"}};

// "c2p|p2c", or a list of them.
void read_attention(const ConfigReader& config, ModelSpec& spec) {
  std::vector<std::string> kinds;
  if (const base::Json* types = config.find("pos_att_type"); types != nullptr && types->is_array()) {
    for (const base::Json& type : *types) {
      kinds.push_back(type.is_string() ? type.get<std::string>() : "?");
    }
  } else {
    std::string all = config.text_or("pos_att_type", "");
    while (!all.empty()) {
      const size_t bar = std::min(all.find('|'), all.size());
      kinds.push_back(all.substr(0, bar));
      all.erase(0, bar + 1);
    }
  }
  for (const std::string& kind : kinds) {
    spec.content_to_position = spec.content_to_position || kind == "c2p";
    spec.position_to_content = spec.position_to_content || kind == "p2c";
    if (kind != "c2p" && kind != "p2c") {
      config.fail(fmt::format("'pos_att_type' has '{}'; supported: c2p, p2c", kind));
    }
  }
}

void read_convolution(const ConfigReader& config, ModelSpec& spec) {
  spec.conv_kernel = config.size_or("conv_kernel_size", 0, 0, 255);
  if (spec.conv_kernel == 0) {
    return;
  }
  if (spec.conv_kernel % 2 == 0) {
    config.fail("'conv_kernel_size' is even, which would leave a token less");
  }
  if (config.size_or("conv_groups", 1, 1, 65'536) != 1) {
    config.fail("'conv_groups' is above 1, which is not supported");
  }
  spec.conv_activation = config.text_or("conv_act", "tanh");
  if (spec.conv_activation == "gelu_pytorch_tanh") {
    spec.conv_activation = "gelu_new";
  }
  for (const char* name : {"tanh", "gelu", "gelu_new", "relu"}) {
    if (spec.conv_activation == name) {
      return;
    }
  }
  config.fail(fmt::format("'conv_act' is '{}'; supported: tanh, gelu, gelu_new, relu", spec.conv_activation));
}

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = config.size_or("type_vocab_size", 0, 0, 1'000);
  spec.position_table = config.flag_or("position_biased_input", true);
  spec.pooler_activation = config.text_or("pooler_hidden_act", "gelu");
  read_convolution(config, spec);
  if (config.size_or("embedding_size", spec.hidden_size, 1, 65'536) != spec.hidden_size) {
    config.fail("'embedding_size' is not 'hidden_size', which is not supported");
  }
  if (config.size_or("pooler_hidden_size", spec.hidden_size, 1, 65'536) != spec.hidden_size) {
    config.fail("'pooler_hidden_size' is not 'hidden_size', which is not supported");
  }
  if (!config.flag_or("relative_attention", false)) {
    return;
  }
  read_attention(config, spec);
  if ((spec.content_to_position || spec.position_to_content) && !config.flag_or("share_att_key", false)) {
    config.fail("'share_att_key' is false: projections of positions of their own are not supported");
  }
  spec.max_relative = config.size_or("max_relative_positions", -1, -1, 1'000'000);
  if (spec.max_relative < 1) {
    spec.max_relative = spec.max_positions;
  }
  const int buckets = config.size_or("position_buckets", -1, -1, 1'000'000);
  spec.log_buckets = buckets > 0;
  spec.relative_span = buckets > 0 ? buckets : spec.max_relative;
  if (spec.log_buckets && (buckets < 4 || spec.max_relative <= buckets / 2 + 1)) {
    config.fail("'position_buckets' must be at least 4 and at most about twice 'max_relative_positions'");
  }
  spec.norm_relative = config.text_or("norm_rel_ebd", "none").find("layer_norm") != std::string::npos;
}

}  // namespace

const EncoderFamily kDebertaV2Family = {.architecture = Architecture::kDebertaV2,
                                        .model_type = "deberta-v2",
                                        .class_name = "DebertaV2",
                                        .title = "DeBERTa-v2",
                                        .prefix = "deberta.",
                                        .layer = kLayer,
                                        .heads = kHeads,
                                        .default_eps = 1e-7F,
                                        .read = read};

}  // namespace slipway::model
