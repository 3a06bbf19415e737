// ELECTRA (Clark et al. 2020): BERT with embeddings that may be narrower than the layers, and a classifier with gelu.
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kHeads[] = {{"pooler.dense", "classifier.dense"},
                             {"classifier", "classifier.out_proj"},
                             {"token_classifier", "classifier"},
                             {"transform.dense", "generator_predictions.dense"},
                             {"transform.norm", "generator_predictions.LayerNorm"},
                             {"decoder.weight", "generator_lm_head.weight"},
                             {"decoder.bias", "generator_lm_head.bias"}};

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = config.size_or("type_vocab_size", 2, 1, 1'000);
  spec.embedding_size = config.size_or("embedding_size", 128, 1, 65'536);
  spec.pooler_activation = "gelu";
}

}  // namespace

const EncoderFamily kElectraFamily = {.architecture = Architecture::kElectra,
                                      .model_type = "electra",
                                      .class_name = "Electra",
                                      .title = "ELECTRA",
                                      .prefix = "electra.",
                                      .heads = kHeads,
                                      .read = read};

}  // namespace slipway::model
