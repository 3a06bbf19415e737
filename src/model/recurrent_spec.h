// Recurrent networks, the models before transformers: LSTM and GRU over word embeddings, as text classifier, as encoder
// and as language model. Read from a config.json of our own making, whose names are torch.nn's
// (docs/formats/recurrent.md): there is no other standard. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::model {

enum class RecurrentCell { kLstm, kGru };
// What a text is read off: the states after its last token (of the backward direction: after its first), or the mean or
// the maximum over its tokens.
enum class RecurrentPooling { kLast, kMean, kMax };
enum class RecurrentHead { kNone, kClassifier, kLanguageModel };

struct RecurrentSpec {
  RecurrentCell cell = RecurrentCell::kLstm;
  RecurrentHead head = RecurrentHead::kNone;
  int vocab_size = 0;
  int embedding_dim = 0;
  int hidden_size = 0;  // of one direction
  int num_layers = 1;
  bool bidirectional = false;
  bool bias = true;  // of the cells
  RecurrentPooling pooling = RecurrentPooling::kLast;
  std::vector<std::string> labels;  // of a classifier
  bool tied_embeddings = false;     // lm_head.weight is embedding.weight
  int max_positions = 0;            // tokens of the longest text; the network itself has no limit
  int pad_id = 0;
  int bos_id = -1;  // -1: none
  std::vector<int> eos_ids;

  int directions() const { return bidirectional ? 2 : 1; }
  int gates() const { return cell == RecurrentCell::kLstm ? 4 : 3; }
  int features() const { return directions() * hidden_size; }  // of a token after the last layer
  int layer_input(int layer) const { return layer == 0 ? embedding_dim : features(); }
  // Values of the state that one token leaves to the next, over all layers: h and, of an LSTM, c.
  int64_t state_values() const {
    return int64_t{num_layers} * directions() * (cell == RecurrentCell::kLstm ? 2 : 1) * hidden_size;
  }
  int64_t parameter_count() const;
};

struct RecurrentTensor {
  std::string name;  // in the file
  std::vector<int64_t> shape;
  bool optional = false;  // the biases of classifier and lm_head
};
// Every tensor of such a model, in the order of computing, by the names of torch.nn: "embedding.weight",
// "rnn.weight_ih_l0", "rnn.bias_hh_l1_reverse", "classifier.weight", "lm_head.weight".
std::vector<RecurrentTensor> recurrent_tensors(const RecurrentSpec& spec);

// Whether model_type is "lstm" or "gru"; and whether it is one with a language model's head.
bool is_recurrent_config(const base::Json& config) noexcept;
bool is_recurrent_lm_config(const base::Json& config) noexcept;
// Throws Error(kInvalid) naming the key that is missing, unsupported or out of bounds. `source` is for messages.
RecurrentSpec recurrent_spec_from_config(const base::Json& config, const std::string& source);

const char* cell_name(RecurrentCell cell) noexcept;           // "lstm", "gru"
const char* pooling_name(RecurrentPooling pooling) noexcept;  // "last", "mean", "max"

}  // namespace slipway::model
