// What a request says of beam search, whatever its model is; names and meanings are those of transformers'
// GenerationConfig.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"
#include "engine/beam_search.h"

namespace slipway::engine {

struct BeamParams {
  int num_beams = 1;                     // hypotheses that are kept; 1: no search
  int num_return_sequences = 1;          // at most num_beams
  double length_penalty = 1;             // scores of ended hypotheses are divided by length^length_penalty
  std::string early_stopping = "false";  // "false", "true", "never": see beam_search.h
  int no_repeat_ngram_size = 0;          // no n tokens in a row twice; 0: off

  void describe(base::FieldTable& table);
};

// The search that `params` ask for, over texts of at most `max_length` tokens.
BeamOptions beam_options(const BeamParams& params, int max_length, const std::vector<int32_t>& eos_ids);

}  // namespace slipway::engine
