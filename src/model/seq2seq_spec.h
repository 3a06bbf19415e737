// What an encoder-decoder is, read from a Hugging Face config.json: one description for every family, so that an engine
// needs one forward pass with switches and no family by name. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/decoder_spec.h"

namespace slipway::model {

enum class Seq2SeqFamily { kT5, kMt5, kBart, kMBart, kMarian, kM2M100 };  // kM2M100: NLLB too
const char* family_name(Seq2SeqFamily family) noexcept;                   // transformers' model_type: "t5", "m2m_100"

enum class Seq2SeqPositions {
  kRelativeBias,   // a bias a head and bucket of distances, added to scores (T5; Raffel et al. 2020, section 2.1)
  kLearned,        // a table (BART)
  kSinusoidal,     // sines in the first half, cosines in the second, frequency 10000^(-2i/hidden) (Marian)
  kSinusoidalT2T,  // the same with frequency 10000^(-i/(hidden/2 - 1)), as tensor2tensor has it (M2M100)
};

// One of the two halves.
struct Seq2SeqStack {
  int num_layers = 0;
  int num_heads = 0;
  int head_dim = 0;  // num_heads * head_dim need not be hidden_size (T5)
  int intermediate_size = 0;
};

struct Seq2SeqSpec {
  Seq2SeqFamily family = Seq2SeqFamily::kT5;
  int vocab_size = 0;          // of the encoder
  int decoder_vocab_size = 0;  // the same unless embeddings are not shared (some Marian models)
  int hidden_size = 0;
  Seq2SeqStack encoder;
  Seq2SeqStack decoder;
  int max_positions = 0;  // the longest text, in either half; 0: positions have no end (T5)

  NormKind norm = NormKind::kLayer;
  float norm_eps = 1e-5F;
  DecoderActivation activation = DecoderActivation::kGelu;
  bool gated_mlp = false;
  bool biases = true;           // of every linear layer but the head
  bool pre_norm = false;        // x + f(norm(x)), else norm(x + f(x))
  bool embedding_norm = false;  // a norm on embeddings + positions
  bool final_norm = false;      // a norm on the last layer's output
  Seq2SeqPositions positions = Seq2SeqPositions::kLearned;
  int position_offset = 0;  // row of the table of a text's first token
  int relative_buckets = 0;
  int relative_max_distance = 0;
  bool scaled_scores = true;      // q.k / sqrt(head_dim); T5: q.k
  float embedding_scale = 1;      // embeddings are multiplied by it
  float head_scale = 1;           // the decoder's states are multiplied by it before the head
  bool shared_embeddings = true;  // encoder's and decoder's
  bool logits_bias = false;       // the file may have final_logits_bias

  int pad_id = -1;
  int bos_id = -1;
  int decoder_start_id = -1;  // what the decoder's text begins with; -1: generation_config.json must say
  std::vector<int> eos_ids;   // any of them ends a text

  // Bytes of self-attention's K and V of one position over all decoder layers at 4 bytes a value.
  int64_t kv_bytes_per_token() const { return int64_t{8} * decoder.num_layers * decoder.num_heads * decoder.head_dim; }
};

// Throws Error(kInvalid) naming the key that is missing, unsupported, out of bounds or inconsistent. `source` is for
// messages. model_type: t5, mt5, bart, mbart, marian, m2m_100.
Seq2SeqSpec seq2seq_spec_from_config(const base::Json& config, const std::string& source);
// True when model_type is one that seq2seq_spec_from_config reads and `architectures`, where given, has no model with
// another head (BartForSequenceClassification).
bool is_seq2seq_config(const base::Json& config) noexcept;
// What every spec must hold: bounds that keep all products of sizes within int64, divisibility, ids in the vocabulary.
void check_seq2seq_spec(const Seq2SeqSpec& spec, const std::string& source);

// T5's bucket of a distance (position attended to - own position). Bidirectional in encoders.
int relative_bucket(int distance, bool bidirectional, int buckets, int max_distance);
// The table of sinusoidal positions, [positions, hidden]; row 0 is angle 0.
std::vector<float> sinusoidal_positions(Seq2SeqPositions kind, int positions, int hidden);

}  // namespace slipway::model
