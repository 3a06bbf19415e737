// BERT (Devlin et al. 2018), MiniLM and their like: the canonical names are its own.
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

constexpr Rename kHeads[] = {{"pooler.dense", "~pooler.dense"},
                             {"token_classifier", "classifier"},
                             {"transform.dense", "cls.predictions.transform.dense"},
                             {"transform.norm", "cls.predictions.transform.LayerNorm"},
                             {"decoder.weight", "cls.predictions.decoder.weight"},
                             {"decoder.bias", "cls.predictions.bias"}};

void read(const ConfigReader& config, ModelSpec& spec) {
  spec.type_vocab_size = config.size_or("type_vocab_size", 2, 1, 1'000);
}

}  // namespace

const EncoderFamily kBertFamily = {.heads = kHeads, .read = read};

}  // namespace slipway::model
