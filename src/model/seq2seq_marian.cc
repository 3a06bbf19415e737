// Marian's translation models (Junczys-Dowmunt et al. 2018; the OPUS-MT models): sinusoidal positions, norms after each
// part, no norm on embeddings; sometimes two vocabularies.
#include "model/decoder_limits.h"
#include "model/seq2seq_families.h"

namespace slipway::model {

void read_marian(Seq2SeqSpec& spec, const ConfigReader& config) {
  // Published files say all of these; the fallbacks are transformers'.
  read_bart_keys(spec, config, {.pad_id = 58100, .bos_id = -1, .eos_id = 0, .decoder_start_id = 58100});
  spec.positions = Seq2SeqPositions::kSinusoidal;
  spec.logits_bias = true;
  spec.shared_embeddings = config.flag_or("share_encoder_decoder_embeddings", true);
  if (!spec.shared_embeddings) {
    spec.decoder_vocab_size = config.size_or("decoder_vocab_size", spec.vocab_size, 1, kMaxVocab);
  }
}

}  // namespace slipway::model
