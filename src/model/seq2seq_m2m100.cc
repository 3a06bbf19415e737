// M2M100 (Fan et al. 2021) and NLLB-200 (NLLB team 2022): sinusoidal positions, norms before each part.
#include "model/seq2seq_families.h"

namespace slipway::model {

void read_m2m100(Seq2SeqSpec& spec, const ConfigReader& config) {
  read_bart_keys(spec, config, {.activation = "relu", .scale_embedding = true});
  spec.pre_norm = true;
  spec.final_norm = true;
  spec.positions = Seq2SeqPositions::kSinusoidalT2T;
  spec.position_offset = spec.pad_id + 1;  // positions are counted from the padding token's id
}

}  // namespace slipway::model
