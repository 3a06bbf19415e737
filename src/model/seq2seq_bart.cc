// BART (Lewis et al. 2020): learned positions, norms after each part. mBART (Liu et al. 2020): norms before, and one at
// the end of each half. Their keys are shared by Marian and M2M100.
#include <cmath>

#include "model/decoder_limits.h"
#include "model/seq2seq_families.h"

namespace slipway::model {
namespace {

Seq2SeqStack read_stack(const ConfigReader& config, const std::string& half, int hidden) {
  Seq2SeqStack stack;
  stack.num_layers = config.size((half + "_layers").c_str(), 1, kMaxLayers);
  stack.num_heads = config.size((half + "_attention_heads").c_str(), 1, kMaxHeads);
  stack.intermediate_size = config.size((half + "_ffn_dim").c_str(), 1, kMaxIntermediate);
  if (hidden % stack.num_heads != 0) {
    config.fail("'d_model' is not a multiple of '" + half + "_attention_heads'");
  }
  stack.head_dim = hidden / stack.num_heads;
  return stack;
}

}  // namespace

void read_bart_keys(Seq2SeqSpec& spec, const ConfigReader& config, const BartDefaults& defaults) {
  spec.vocab_size = config.size("vocab_size", 1, kMaxVocab);
  spec.decoder_vocab_size = spec.vocab_size;
  spec.hidden_size = config.size("d_model", 1, kMaxHidden);
  spec.encoder = read_stack(config, "encoder", spec.hidden_size);
  spec.decoder = read_stack(config, "decoder", spec.hidden_size);
  spec.max_positions = config.size_or("max_position_embeddings", 1024, 1, 1 << 20);
  spec.activation = activation_of(config.text_or("activation_function", defaults.activation), config);
  if (config.flag_or("scale_embedding", defaults.scale_embedding)) {
    spec.embedding_scale = std::sqrt(static_cast<float>(spec.hidden_size));
  }
  const auto id_or = [&](const char* key, int fallback) {
    return config.size_or(key, fallback < spec.vocab_size ? fallback : -1, 0, spec.vocab_size - 1);
  };
  spec.pad_id = id_or("pad_token_id", defaults.pad_id);
  spec.bos_id = id_or("bos_token_id", defaults.bos_id);
  spec.eos_ids = eos_ids_or(config, defaults.eos_id, spec.decoder_vocab_size);
  spec.decoder_start_id = id_or("decoder_start_token_id", defaults.decoder_start_id);
}

void read_bart(Seq2SeqSpec& spec, const ConfigReader& config) {
  const bool multilingual = spec.family == Seq2SeqFamily::kMBart;
  // mBART's decoder begins with a language, which the file or the request says.
  read_bart_keys(spec, config, {.decoder_start_id = multilingual ? -1 : 2});
  spec.pre_norm = multilingual;
  spec.final_norm = multilingual;
  spec.embedding_norm = true;
  spec.positions = Seq2SeqPositions::kLearned;
  spec.position_offset = 2;  // fairseq's rows for padding
  spec.logits_bias = true;
}

}  // namespace slipway::model
