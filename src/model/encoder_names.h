// The tensors of an encoder and its head in a Hugging Face file: their names and, derived from ModelSpec, their shapes.
// Every architecture has the same canonical names, which are BERT's; a table (encoder_family.h) says what its files
// call them. Files come with and without the prefix ("bert.") in front of the encoder's tensors, with and without a
// pooler, and old ones call the norms' weights gamma and beta: EncoderNaming tells which, once a file. Values; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/tensor_source.h"

namespace slipway::model {

// Canonical names (no prefix). In files of other architectures they are called otherwise.
inline constexpr const char* kWordEmbeddings = "embeddings.word_embeddings.weight";          // [vocab, word_size]
inline constexpr const char* kPositionEmbeddings = "embeddings.position_embeddings.weight";  // [positions, word_size]
inline constexpr const char* kTypeEmbeddings = "embeddings.token_type_embeddings.weight";    // [types, word_size]
inline constexpr const char* kEmbeddingsNormWeight = "embeddings.LayerNorm.weight";          // [word_size]
inline constexpr const char* kEmbeddingsNormBias = "embeddings.LayerNorm.bias";              // [word_size]
inline constexpr const char* kEmbeddingsProjectWeight = "embeddings_project.weight";         // [hidden, word_size]
inline constexpr const char* kEmbeddingsProjectBias = "embeddings_project.bias";             // [hidden]
inline constexpr const char* kRelativeBiasTable = "encoder.relative_attention_bias.weight";  // [buckets, heads]
inline constexpr const char* kRelativeEmbeddings = "encoder.rel_embeddings.weight";          // [2 span, hidden]
inline constexpr const char* kRelativeNormWeight = "encoder.LayerNorm.weight";               // [hidden]
inline constexpr const char* kRelativeNormBias = "encoder.LayerNorm.bias";                   // [hidden]
inline constexpr const char* kConvWeight = "encoder.conv.conv.weight";                       // [hidden, hidden, kernel]
inline constexpr const char* kConvBias = "encoder.conv.conv.bias";                           // [hidden]
inline constexpr const char* kConvNormWeight = "encoder.conv.LayerNorm.weight";              // [hidden]
inline constexpr const char* kConvNormBias = "encoder.conv.LayerNorm.bias";                  // [hidden]
inline constexpr const char* kFinalNormWeight = "final_norm.weight";                         // [hidden]
inline constexpr const char* kFinalNormBias = "final_norm.bias";                             // [hidden]
// Sequence classification: pooler.dense, its activation, pooler.norm (ModernBERT), classifier.
inline constexpr const char* kPoolerWeight = "pooler.dense.weight";     // [hidden, hidden]
inline constexpr const char* kPoolerBias = "pooler.dense.bias";         // [hidden]
inline constexpr const char* kPoolerNormWeight = "pooler.norm.weight";  // [hidden]
inline constexpr const char* kPoolerNormBias = "pooler.norm.bias";      // [hidden]
inline constexpr const char* kClassifierWeight = "classifier.weight";   // [labels, hidden]
inline constexpr const char* kClassifierBias = "classifier.bias";       // [labels]
// Heads over every token: transform.dense, activation, transform.norm (masked language models, and all of
// ModernBERT's), then one of the three.
inline constexpr const char* kTransformWeight = "transform.dense.weight";         // [word_size or hidden, hidden]
inline constexpr const char* kTransformBias = "transform.dense.bias";             // the same, of rows
inline constexpr const char* kTransformNormWeight = "transform.norm.weight";      // the same
inline constexpr const char* kTransformNormBias = "transform.norm.bias";          // the same
inline constexpr const char* kTokenClassifierWeight = "token_classifier.weight";  // [labels, hidden]
inline constexpr const char* kTokenClassifierBias = "token_classifier.bias";      // [labels]
inline constexpr const char* kSpanWeight = "qa_outputs.weight";                   // [2, hidden]
inline constexpr const char* kSpanBias = "qa_outputs.bias";                       // [2]
inline constexpr const char* kDecoderWeight = "decoder.weight";                   // [vocab, word_size], unless tied
inline constexpr const char* kDecoderBias = "decoder.bias";                       // [vocab]

// One encoder layer's canonical names, in the order of computing. Linear weights are [out, in]. Where the norms come
// first (ModernBERT), attention_norm is the one before attention, output_norm the one before the intermediate layer.
struct EncoderLayerNames {
  std::string query_weight, query_bias;                        // [hidden, hidden], [hidden]
  std::string key_weight, key_bias;                            // [hidden, hidden], [hidden]
  std::string value_weight, value_bias;                        // [hidden, hidden], [hidden]
  std::string qkv_weight, qkv_bias;                            // [3 hidden, hidden], instead of the six (ModernBERT)
  std::string attention_output_weight, attention_output_bias;  // [hidden, hidden], [hidden]
  std::string attention_norm_weight, attention_norm_bias;      // [hidden]
  std::string intermediate_weight, intermediate_bias;          // [intermediate (twice when gated), hidden]
  std::string output_weight, output_bias;                      // [hidden, intermediate], [hidden]
  std::string output_norm_weight, output_norm_bias;            // [hidden]
};
EncoderLayerNames encoder_layer_names(int layer);

enum class TensorRole { kEmbedding, kLinear, kBias, kNorm, kPooler, kClassifier };  // kLinear: of encoder layers only

struct TensorInfo {
  std::string name;  // canonical
  std::vector<int64_t> shape;
  TensorRole role = TensorRole::kLinear;
  int64_t count() const;
};

// Every tensor a model of this spec has, in the order of computing. BERT's pooler is listed when asked for or when the
// spec has a classifier (a BERT classifier reads the pooled first token); the head's when the spec has a head.
std::vector<TensorInfo> encoder_tensors(const ModelSpec& spec, bool with_pooler);

// How one file spells the names.
struct EncoderNaming {
  Architecture architecture = Architecture::kBert;
  std::string prefix;       // "" or "bert."
  bool gamma_beta = false;  // "LayerNorm.gamma" and ".beta" for weight and bias
  bool has_pooler = false;  // BERT's pooler.dense.weight is there
  bool has_head = false;    // of the spec's head, the first tensor is there
  // The name in the file of a canonical name; the heads' never take the prefix.
  std::string in_file(const std::string& canonical) const;
};

// Throws Error(kIntegrity) when neither spelling of the word embeddings is in the file.
EncoderNaming detect_naming(const TensorSource& file, const ModelSpec& spec);

// The naming we write (BERT): "bert." when the spec has a classifier, as transformers does.
EncoderNaming written_naming(const ModelSpec& spec, bool with_pooler);

// Checks that every tensor of the spec is in the file with its shape, as F32, F16, BF16 or F64 (I8 with a scale beside
// it where int8_layout.h allows that), and returns the naming. Throws Error(kIntegrity) naming the first tensor missing
// or of another shape, with both shapes. A missing head is an error only when `need_head`; then BERT's classifier needs
// the pooler too.
EncoderNaming check_encoder_file(const TensorSource& file, const ModelSpec& spec, bool need_head, bool int8 = false);

}  // namespace slipway::model
