// T5 (Raffel et al. 2020), T5 1.1, mT5: RMS norms before each part, relative positions in the scores, no biases.
#include <cmath>

#include "model/decoder_limits.h"
#include "model/seq2seq_families.h"

namespace slipway::model {
namespace {

// "relu", "gated-gelu", "gated-silu": an activation, with or without a gate. Of "gated-gelu" transformers makes
// gelu_new.
void read_feed_forward(Seq2SeqSpec& spec, const ConfigReader& config, const char* fallback) {
  std::string word = config.text_or("feed_forward_proj", fallback);
  constexpr std::string_view kGated = "gated-";
  spec.gated_mlp = word.starts_with(kGated);
  if (spec.gated_mlp) {
    word.erase(0, kGated.size());
  }
  spec.activation = activation_of(spec.gated_mlp && word == "gelu" ? "gelu_new" : word, config);
}

}  // namespace

void read_t5(Seq2SeqSpec& spec, const ConfigReader& config) {
  const bool mt5 = spec.family == Seq2SeqFamily::kMt5;
  spec.vocab_size = config.size("vocab_size", 1, kMaxVocab);
  spec.decoder_vocab_size = spec.vocab_size;
  spec.hidden_size = config.size("d_model", 1, kMaxHidden);
  const int heads = config.size("num_heads", 1, kMaxHeads);
  const int head_dim = config.size("d_kv", 1, kMaxHeadDim);
  const int intermediate = config.size("d_ff", 1, kMaxIntermediate);
  const int layers = config.size("num_layers", 1, kMaxLayers);
  spec.encoder = {layers, heads, head_dim, intermediate};
  spec.decoder = spec.encoder;
  spec.decoder.num_layers = config.size_or("num_decoder_layers", layers, 1, kMaxLayers);
  spec.norm = NormKind::kRms;
  spec.norm_eps = static_cast<float>(config.number_or("layer_norm_epsilon", 1e-6, 1e-12, 1));
  read_feed_forward(spec, config, mt5 ? "gated-gelu" : "relu");
  spec.biases = false;
  spec.pre_norm = true;
  spec.final_norm = true;
  spec.positions = Seq2SeqPositions::kRelativeBias;
  spec.relative_buckets = config.size_or("relative_attention_num_buckets", 32, 4, 1 << 16);
  spec.relative_max_distance = config.size_or("relative_attention_max_distance", 128, 2, 1 << 24);
  spec.scaled_scores = false;
  // The first T5 scales what its tied head sees; later versions, which untie the head, do not.
  const bool scaled = !mt5 && config.flag_or("scale_decoder_outputs", config.flag_or("tie_word_embeddings", true));
  spec.head_scale = scaled ? 1 / std::sqrt(static_cast<float>(spec.hidden_size)) : 1.0F;
  spec.pad_id = config.size_or("pad_token_id", 0, 0, spec.vocab_size - 1);
  spec.eos_ids = eos_ids_or(config, 1, spec.decoder_vocab_size);
  spec.decoder_start_id = config.size_or("decoder_start_token_id", spec.pad_id, 0, spec.vocab_size - 1);
}

}  // namespace slipway::model
