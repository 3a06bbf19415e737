// What a decoder is (a causal language model), read from a Hugging Face config.json or from a GGUF file's metadata: one
// description for every family, so that an engine needs one forward pass with switches and no family by name. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::model {

class GgufMetadata;  // gguf.h

enum class DecoderFamily { kLlama, kQwen2, kQwen3, kGpt2, kGptNeoX, kPhi3, kGemma2, kGemma3 };  // kLlama: Mistral too
const char* family_name(DecoderFamily family) noexcept;  // transformers' model_type: "llama", "gpt_neox", "gemma3_text"

enum class NormKind { kRms, kLayer };
enum class DecoderActivation {
  kSilu,
  kGelu,
  kGeluTanh,
  kRelu
};  // kGelu with erf; kGeluTanh: gelu_new, gelu_pytorch_tanh

enum class RopeScaling {
  kNone,      // and the default
  kLinear,    // frequencies divided by factor
  kLlama3,    // low frequencies divided, high ones not, the middle blended (Llama 3.1)
  kLongRope,  // frequencies divided by a factor each, one set for short and one for long sequences (Phi-3)
  kFactors,   // frequencies divided by a factor each (GGUF's rope_freqs.weight)
  kYarn,      // NTK by parts (Peng et al. 2023)
};

struct RopeSpec {
  double theta = 10000;
  int rotary_dim = 0;  // first dimensions of a head that turn; even, <= head_dim; 0: no rotary positions at all (GPT-2)
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;
  double low_freq_factor = 1;       // kLlama3
  double high_freq_factor = 4;      // kLlama3
  double beta_fast = 32;            // kYarn
  double beta_slow = 1;             // kYarn
  int original_max_positions = 0;   // kLlama3, kLongRope, kYarn
  double attention_factor = 1;      // cos and sin are multiplied by it (kLongRope, kYarn)
  std::vector<float> factors;       // kFactors: [rotary_dim / 2]; kLongRope: those for short sequences
  std::vector<float> long_factors;  // kLongRope: for sequences longer than original_max_positions
};

struct DecoderSpec {
  DecoderFamily family = DecoderFamily::kLlama;
  int vocab_size = 0;
  int hidden_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int num_kv_heads = 0;  // divides num_heads
  int head_dim = 0;      // num_heads * head_dim need not be hidden_size
  int intermediate_size = 0;
  int max_positions = 0;  // the longest sequence that the model was made for

  NormKind norm = NormKind::kRms;
  float norm_eps = 1e-5F;
  DecoderActivation activation = DecoderActivation::kSilu;
  bool gated_mlp = true;  // down(act(gate(x)) * up(x)), else down(act(up(x)))
  bool qkv_bias = false;
  bool output_bias = false;  // attention's o_proj
  bool mlp_bias = false;
  bool lm_head_bias = false;       // never so far in these families; a file that has one is refused
  bool qk_norm = false;            // RMS norm of each head of q and k before RoPE
  bool sandwich_norms = false;     // norms on the outputs of attention and MLP too (Gemma)
  bool parallel_residual = false;  // x + attention(norm1(x)) + mlp(norm2(x)) (GPT-NeoX)
  bool learned_positions = false;  // GPT-2
  bool tied_embeddings = false;

  RopeSpec rope;                // of layers with full attention, and of all when there is no other
  RopeSpec local_rope;          // of layers with a window (Gemma 3); equal to `rope` elsewhere
  float attention_scale = 0;    // q.k is multiplied by it; 1 / sqrt(head_dim) unless the model says otherwise
  float attention_softcap = 0;  // c * tanh(score / c) before the mask; 0: none (Gemma 2)
  float final_softcap = 0;      // the same for logits
  float embedding_scale = 1;    // embeddings are multiplied by it: sqrt(hidden_size) for Gemma
  // Per layer: how many of the last positions, its own included, a token attends to; 0: all. Size num_layers.
  std::vector<int> layer_window;

  int bos_id = -1;  // -1: none
  int pad_id = -1;
  std::vector<int> eos_ids;  // any of them ends a text

  int64_t parameter_count() const;  // tied embeddings once
  // Bytes of K and V of one position over all layers at `bytes_per_value`.
  int64_t kv_bytes_per_token(int bytes_per_value) const;
};

// Throws Error(kInvalid) naming the key that is missing, unsupported, out of bounds or inconsistent. `source` is for
// messages. model_type: llama, mistral, qwen2, qwen3, gpt2, gpt_neox, phi3, gemma2, gemma3_text, gemma3 (its
// text_config).
DecoderSpec decoder_spec_from_config(const base::Json& config, const std::string& source);
// True when model_type is one that decoder_spec_from_config reads.
bool is_decoder_config(const base::Json& config) noexcept;
// From general.architecture llama, qwen2, qwen3, gpt2, gptneox, phi3, gemma2, gemma3 and the ARCH.* keys. RoPE factors
// and tied embeddings, which GGUF keeps in tensors, are filled in by open_decoder.
DecoderSpec decoder_spec_from_gguf(const GgufMetadata& metadata, const std::string& source);
// What every spec must hold: bounds that keep all products of sizes within int64, divisibility, ids in the vocabulary.
void check_decoder_spec(const DecoderSpec& spec, const std::string& source);

// Angles of RoPE: frequency [rotary_dim / 2] in radians a position, scaling applied; dimension pair (i, i +
// rotary_dim/2) of position p turns by p * frequency[i]; cos and sin are then multiplied by rope.attention_factor.
// `sequence` is the length of the text (kLongRope has two sets). As transformers' modeling_rope_utils.
std::vector<double> rope_frequencies(const RopeSpec& rope, int sequence);

}  // namespace slipway::model
