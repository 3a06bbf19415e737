// What each architecture makes of its config.json: one function and file an architecture. Internal to the room.
#pragma once

#include "model/config_parts.h"
#include "model/seq2seq_spec.h"

namespace slipway::model {

void read_t5(Seq2SeqSpec& spec, const ConfigReader& config);    // and mT5
void read_bart(Seq2SeqSpec& spec, const ConfigReader& config);  // and mBART
void read_marian(Seq2SeqSpec& spec, const ConfigReader& config);
void read_m2m100(Seq2SeqSpec& spec, const ConfigReader& config);  // and NLLB

// The ids of "eos_token_id", else `fallback` where the vocabulary has it.
inline std::vector<int> eos_ids_or(const ConfigReader& config, int fallback, int vocab_size) {
  std::vector<int> ids = read_eos_ids(config, vocab_size);
  return ids.empty() && fallback < vocab_size ? std::vector<int>{fallback} : ids;
}

// The keys that BART, mBART, Marian and M2M100 share: sizes of both halves, activation, ids, scale of embeddings.
struct BartDefaults {
  const char* activation = "gelu";
  bool scale_embedding = false;
  int pad_id = 1;
  int bos_id = 0;
  int eos_id = 2;
  int decoder_start_id = 2;
};
void read_bart_keys(Seq2SeqSpec& spec, const ConfigReader& config, const BartDefaults& defaults);

}  // namespace slipway::model
