// DistilBERT (Sanh et al. 2019): BERT without token types and pooler, under names of its own.
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kLayer[] = {{"attention.self.query", "attention.q_lin"},
                             {"attention.self.key", "attention.k_lin"},
                             {"attention.self.value", "attention.v_lin"},
                             {"attention.output.dense", "attention.out_lin"},
                             {"attention.output.LayerNorm", "sa_layer_norm"},
                             {"intermediate.dense", "ffn.lin1"},
                             {"output.dense", "ffn.lin2"},
                             {"output.LayerNorm", "output_layer_norm"}};
constexpr Rename kHeads[] = {{"pooler.dense", "pre_classifier"},           {"token_classifier", "classifier"},
                             {"transform.dense", "vocab_transform"},       {"transform.norm", "vocab_layer_norm"},
                             {"decoder.weight", "vocab_projector.weight"}, {"decoder.bias", "vocab_projector.bias"}};

void read(const ConfigReader&, ModelSpec& spec) {
  spec.type_vocab_size = 0;
  spec.pooler_activation = "relu";
}

}  // namespace

const EncoderFamily kDistilBertFamily = {.architecture = Architecture::kDistilBert,
                                         .model_type = "distilbert",
                                         .class_name = "DistilBert",
                                         .title = "DistilBERT",
                                         .prefix = "distilbert.",
                                         .layers = "transformer.layer.",
                                         .layer = kLayer,
                                         .heads = kHeads,
                                         .keys = {.hidden_size = "dim",
                                                  .num_layers = "n_layers",
                                                  .num_heads = "n_heads",
                                                  .intermediate_size = "hidden_dim",
                                                  .activation = "activation",
                                                  .dropout = "dropout",
                                                  .attention_dropout = "attention_dropout"},
                                         .read = read};

}  // namespace slipway::model
