// RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): BERT's tensors; positions count from pad_token_id +
// 1, the classifier has its own layer instead of the pooler.
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kHeads[] = {{"pooler.dense", "classifier.dense"},     {"classifier", "classifier.out_proj"},
                             {"token_classifier", "classifier"},       {"transform.dense", "lm_head.dense"},
                             {"transform.norm", "lm_head.layer_norm"}, {"decoder.weight", "lm_head.decoder.weight"},
                             {"decoder.bias", "lm_head.bias"}};

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = config.size_or("type_vocab_size", 2, 1, 1'000);
  spec.pad_token_id = config.size_or("pad_token_id", 1, 0, spec.vocab_size - 1);
  spec.position_offset = spec.pad_token_id + 1;
}

}  // namespace

const EncoderFamily kRobertaFamily = {.architecture = Architecture::kRoberta,
                                      .model_type = "roberta",
                                      .class_name = "Roberta",
                                      .title = "RoBERTa",
                                      .prefix = "roberta.",
                                      .heads = kHeads,
                                      .read = read};
const EncoderFamily kXlmRobertaFamily = {.architecture = Architecture::kXlmRoberta,
                                         .model_type = "xlm-roberta",
                                         .class_name = "XLMRoberta",
                                         .title = "XLM-RoBERTa",
                                         .prefix = "roberta.",
                                         .heads = kHeads,
                                         .read = read};

}  // namespace slipway::model
