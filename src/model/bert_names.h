// The tensors of a BERT encoder and classifier in a Hugging Face file: their names and, derived from ModelSpec, their
// shapes. Files come with and without "bert." in front of the encoder's tensors, with and without a pooler, and old
// ones call the norms' weights gamma and beta: BertNaming tells which, once a file. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/safetensors.h"

namespace slipway::model {

// Canonical names (no prefix).
inline constexpr const char* kWordEmbeddings = "embeddings.word_embeddings.weight";          // [vocab, hidden]
inline constexpr const char* kPositionEmbeddings = "embeddings.position_embeddings.weight";  // [positions, hidden]
inline constexpr const char* kTypeEmbeddings = "embeddings.token_type_embeddings.weight";    // [types, hidden]
inline constexpr const char* kEmbeddingsNormWeight = "embeddings.LayerNorm.weight";          // [hidden]
inline constexpr const char* kEmbeddingsNormBias = "embeddings.LayerNorm.bias";              // [hidden]
inline constexpr const char* kPoolerWeight = "pooler.dense.weight";                          // [hidden, hidden]
inline constexpr const char* kPoolerBias = "pooler.dense.bias";                              // [hidden]
inline constexpr const char* kClassifierWeight = "classifier.weight";                        // [labels, hidden]
inline constexpr const char* kClassifierBias = "classifier.bias";                            // [labels]

// One encoder layer's canonical names, in the order of computing. Linear weights are [out, in].
struct BertLayerNames {
  std::string query_weight, query_bias;                        // [hidden, hidden], [hidden]
  std::string key_weight, key_bias;                            // [hidden, hidden], [hidden]
  std::string value_weight, value_bias;                        // [hidden, hidden], [hidden]
  std::string attention_output_weight, attention_output_bias;  // [hidden, hidden], [hidden]
  std::string attention_norm_weight, attention_norm_bias;      // [hidden]
  std::string intermediate_weight, intermediate_bias;          // [intermediate, hidden], [intermediate]
  std::string output_weight, output_bias;                      // [hidden, intermediate], [hidden]
  std::string output_norm_weight, output_norm_bias;            // [hidden]
};
BertLayerNames bert_layer_names(int layer);

enum class TensorRole { kEmbedding, kLinear, kBias, kNorm, kPooler, kClassifier };  // kLinear: of encoder layers only

struct TensorInfo {
  std::string name;  // canonical
  std::vector<int64_t> shape;
  TensorRole role = TensorRole::kLinear;
  int64_t count() const;
};

// Every tensor a model of this spec has, in the order of computing. The pooler is listed when asked for or when the
// spec has a classifier (a BERT classifier reads the pooled first token); the classifier when spec.has_classifier.
std::vector<TensorInfo> bert_tensors(const ModelSpec& spec, bool with_pooler);

// How one file spells the names.
struct BertNaming {
  std::string prefix;       // "" or "bert."
  bool gamma_beta = false;  // "LayerNorm.gamma" and ".beta" for weight and bias
  bool has_pooler = false;  // pooler.dense.weight is there
  bool has_classifier = false;
  // The name in the file of a canonical name; the classifier's never take the prefix.
  std::string in_file(const std::string& canonical) const;
};

// Throws Error(kIntegrity) when neither spelling of the word embeddings is in the file.
BertNaming detect_bert_naming(const SafetensorsFile& file);

// The naming we write: "bert." when the spec has a classifier, as transformers does.
BertNaming written_bert_naming(const ModelSpec& spec, bool with_pooler);

// Checks that every tensor of the spec is in the file with its shape, as F32, F16, BF16 or F64 (I8 with a scale beside
// it where int8_layout.h allows that), and returns the naming. Throws Error(kIntegrity) naming the first tensor missing
// or of another shape, with both shapes. A missing classifier is an error only when `need_classifier`; then the pooler
// is needed too.
BertNaming check_bert_file(const SafetensorsFile& file, const ModelSpec& spec, bool need_classifier);

}  // namespace slipway::model
