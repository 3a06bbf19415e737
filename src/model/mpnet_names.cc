// MPNet (Song et al. 2020): BERT's layers with T5's relative positions as a bias of the scores, one table for all
// layers; positions count from 2, no token types.
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kLayer[] = {{"attention.self.query", "attention.attn.q"},
                             {"attention.self.key", "attention.attn.k"},
                             {"attention.self.value", "attention.attn.v"},
                             {"attention.output.dense", "attention.attn.o"},
                             {"attention.output.LayerNorm", "attention.LayerNorm"}};
constexpr Rename kHeads[] = {{"pooler.dense", "classifier.dense"},     {"classifier", "classifier.out_proj"},
                             {"token_classifier", "classifier"},       {"transform.dense", "lm_head.dense"},
                             {"transform.norm", "lm_head.layer_norm"}, {"decoder.weight", "lm_head.decoder.weight"},
                             {"decoder.bias", "lm_head.bias"}};

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = 0;
  spec.position_offset = 2;  // its code has padding_idx 1 whatever pad_token_id says
  spec.relative_buckets = config.size_or("relative_attention_num_buckets", 32, 4, 10'000);
  if (spec.relative_buckets != 32) {
    config.fail("'relative_attention_num_buckets' is not 32, the number that the model's code computes with");
  }
}

}  // namespace

const EncoderFamily kMpnetFamily = {.architecture = Architecture::kMpnet,
                                    .model_type = "mpnet",
                                    .class_name = "MPNet",
                                    .title = "MPNet",
                                    .prefix = "mpnet.",
                                    .layer = kLayer,
                                    .heads = kHeads,
                                    .read = read};

}  // namespace slipway::model
