#include "engine/beam_group.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/cpu.h"
#include "base/error.h"
#include "kernels/decoder_ops.h"

namespace slipway::engine {

void check_beams(const GenerateRequest& request, int most) {
  const BeamParams& beams = request.beams;
  const auto fail = [](const std::string& what) { throw base::Error(base::Code::kInvalid, what); };
  if (beams.num_return_sequences < 1 || beams.num_return_sequences > beams.num_beams) {
    fail(fmt::format("num_return_sequences is {}: at most num_beams, {}, can be returned", beams.num_return_sequences,
                     beams.num_beams));
  }
  if (beams.no_repeat_ngram_size < 0 || (beams.no_repeat_ngram_size > 0 && beams.num_beams == 1)) {
    fail("no_repeat_ngram_size is a rule of beam search: it needs num_beams above 1");
  }
  if (beams.num_beams <= 1) {
    return;
  }
  if (beams.num_beams > most) {
    fail(fmt::format("num_beams is {}; at most {} hypotheses run at once (max_sequences)", beams.num_beams, most));
  }
  if (request.max_tokens < 1) {
    fail("beam search needs max_tokens of at least 1");
  }
  const SamplingParams& sampling = request.sampling;
  if (request.constraint || !sampling.stop.empty() || sampling.top_logprobs >= 0 || sampling.frequency_penalty != 0 ||
      sampling.presence_penalty != 0) {
    fail(
        "beam search goes without constraints, stop texts, log-probabilities of tokens, frequency and presence "
        "penalty: leave them out, or set num_beams to 1");
  }
}

namespace {

TokenRules rules_of(const GenerateRequest& request, const std::vector<int32_t>& end_ids, int max_length) {
  TokenRules rules;
  rules.repetition_penalty = request.sampling.repetition_penalty;
  rules.no_repeat_ngram_size = request.beams.no_repeat_ngram_size;
  rules.min_length = static_cast<int>(request.ids.size()) + request.sampling.min_tokens;
  rules.max_length = max_length;
  rules.eos_ids = end_ids;
  return rules;
}

}  // namespace

BeamGroup::BeamGroup(const GenerateRequest& request, const std::vector<int32_t>& end_ids, int max_length,
                     KvPages& pages, std::vector<int32_t> prompt_pages)
    : width_(request.beams.num_beams),
      bias_(request.sampling.logit_bias),
      rules_(rules_of(request, end_ids, max_length)),
      search_(beam_options(request.beams, max_length, end_ids), request.ids) {
  for (int i = 1; i < width_; ++i) {
    for (const int32_t page : prompt_pages) {
      pages.share(page);
    }
    lists_.push_back(prompt_pages);
  }
  lists_.push_back(std::move(prompt_pages));
}

void BeamGroup::apply(std::span<const int32_t> text, std::span<float> logits) const {
  kernels::log_softmax(base::select_isa(), static_cast<int>(logits.size()), logits.data());
  for (const auto& [id, bias] : bias_) {
    logits[static_cast<size_t>(id)] += static_cast<float>(bias);
  }
  apply_rules(rules_, text, logits);
}

bool BeamGroup::step(std::span<float> logits, int vocab) {
  const auto row = static_cast<size_t>(vocab);
  const auto width = static_cast<size_t>(width_);
  if (begun_) {
    SLIPWAY_CHECK(logits.size() == width * row);
    for (size_t i = 0; i < width; ++i) {
      apply(search_.running()[i].ids, logits.subspan(i * row, row));
    }
    return search_.step(logits, vocab);
  }
  begun_ = true;
  SLIPWAY_CHECK(logits.size() == row);
  apply(search_.running().front().ids, logits);
  std::vector<float> all;  // all hypotheses are the prompt
  for (size_t i = 0; i < width; ++i) {
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return search_.step(all, vocab);
}

}  // namespace slipway::engine
