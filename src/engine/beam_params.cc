#include "engine/beam_params.h"

namespace slipway::engine {
namespace {

EarlyStopping early_stopping_of(const std::string& word) {
  return word == "true" ? EarlyStopping::kEnough : word == "never" ? EarlyStopping::kNever : EarlyStopping::kHeuristic;
}

}  // namespace

void BeamParams::describe(base::FieldTable& table) {
  table.add("num_beams", num_beams, "hypotheses that beam search keeps; 1: no search", {1, 256});
  table.add("num_return_sequences", num_return_sequences, "texts returned, by falling score", {1, 256});
  table.add("length_penalty", length_penalty, "of beam search: above 0 favours longer texts, below 0 shorter ones",
            {-100, 100});
  table.add("early_stopping", early_stopping,
            "when beam search ends: true, as soon as num_beams texts have; never, when none could become better",
            {"false", "true", "never"});
  table.add("no_repeat_ngram_size", no_repeat_ngram_size, "no so many tokens in a row twice; 0: off", {0, 1 << 20});
}

BeamOptions beam_options(const BeamParams& params, int max_length, const std::vector<int32_t>& eos_ids) {
  return {.num_beams = params.num_beams,
          .length_penalty = params.length_penalty,
          .early_stopping = early_stopping_of(params.early_stopping),
          .max_length = max_length,
          .eos_ids = eos_ids};
}

}  // namespace slipway::engine
