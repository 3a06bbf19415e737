// What a request becomes before it waits: checked against the model and the limits, with all that its steps need.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "engine/seq2seq_scheduler.h"

namespace slipway::engine {
namespace {

using base::Code;
using base::Error;

constexpr int kDefaultNewTokens = 256;  // as transformers' pipelines

int max_length_of(const Seq2SeqParams& params) {
  return params.max_new_tokens > 0 ? params.max_new_tokens + 1
         : params.max_length > 0   ? params.max_length
                                   : kDefaultNewTokens + 1;
}

// Tokens that are fed to the decoder: all but the last one.
int pages_of(int max_length) { return (max_length - 1 + Seq2SeqModel::kPageTokens - 1) / Seq2SeqModel::kPageTokens; }

SamplingParams sampling_of(const Seq2SeqParams& params) {
  SamplingParams out;
  out.temperature = params.temperature;
  out.top_k = params.top_k;
  out.top_p = params.top_p;
  out.min_p = params.min_p;
  out.typical_p = params.typical_p;
  return out;
}

void check_kind(const Seq2SeqParams& params) {
  if (params.do_sample && params.num_beams > 1) {
    throw Error(Code::kInvalid, "'do_sample' with 'num_beams' above 1 is not supported: draw, or search with beams");
  }
  if (!params.do_sample && params.num_return_sequences > params.num_beams) {
    throw Error(Code::kInvalid, fmt::format("num_return_sequences is {}: at most num_beams, {}, can be returned",
                                            params.num_return_sequences, params.num_beams));
  }
}

}  // namespace

std::unique_ptr<Seq2SeqScheduler::Task> Seq2SeqScheduler::make_task(Seq2SeqRequest request) const {
  const model::Seq2SeqSpec& spec = model_.spec();
  const Seq2SeqParams& params = request.params;
  const auto length = static_cast<int64_t>(request.ids.size());
  if (length < 1 || length > limits_.context_length) {
    throw Error(Code::kInvalid, fmt::format("the source has {} tokens; there must be between 1 and {}", length,
                                            limits_.context_length));
  }
  for (const int32_t id : request.ids) {
    if (id < 0 || id >= spec.vocab_size) {
      throw Error(Code::kInvalid,
                  fmt::format("the source has token {}; the model has tokens 0 to {}", id, spec.vocab_size - 1));
    }
  }
  check_kind(params);
  auto task = std::make_unique<Task>();
  const int32_t start = params.decoder_start_token_id.value_or(limits_.decoder_start_id);
  if (start < 0 || start >= spec.decoder_vocab_size) {
    throw Error(Code::kInvalid,
                "'decoder_start_token_id' is missing or no token of the model: a text needs a beginning");
  }
  TokenRules& rules = task->rules;
  rules.repetition_penalty = params.repetition_penalty;
  rules.no_repeat_ngram_size = params.no_repeat_ngram_size;
  rules.min_length = std::max(params.min_length, params.min_new_tokens > 0 ? params.min_new_tokens + 1 : 0);
  rules.max_length = max_length_of(params);
  rules.forced_bos = params.forced_bos_token_id;
  rules.forced_eos = params.forced_eos_token_id;
  rules.suppressed = params.suppress_tokens;
  rules.eos_ids = limits_.eos_ids;
  for (const std::vector<int32_t>& word : params.bad_words_ids) {
    // As transformers: a bad word that is an end token alone would never let a text end.
    if (word.size() != 1 || std::find(rules.eos_ids.begin(), rules.eos_ids.end(), word[0]) == rules.eos_ids.end()) {
      rules.bad_words.push_back(word);
    }
  }
  check_rules(rules, spec.decoder_vocab_size);
  if (rules.max_length - 1 > limits_.context_length) {
    throw Error(Code::kInvalid, fmt::format("{} tokens of output are asked for; at most {} fit", rules.max_length - 1,
                                            limits_.context_length));
  }
  task->hypotheses = params.do_sample ? params.num_return_sequences : params.num_beams;
  if (task->hypotheses > limits_.max_sequences) {
    throw Error(Code::kInvalid, fmt::format("{} hypotheses are asked for; at most {} run at once (max_sequences)",
                                            task->hypotheses, limits_.max_sequences));
  }
  task->pages = task->hypotheses * pages_of(rules.max_length);
  if (task->pages > limits_.pages) {
    throw Error(Code::kInvalid,
                fmt::format("{} hypotheses of {} tokens need more memory than the cache has; make kv_cache_mb larger",
                            task->hypotheses, rules.max_length));
  }
  if (params.num_beams > 1 && spec.decoder_vocab_size < 2) {
    throw Error(Code::kInvalid, "beam search needs a vocabulary of at least two tokens");
  }
  if (params.do_sample) {
    task->sampling = sampling_of(params);
    check_sampling(task->sampling, spec.decoder_vocab_size);
  }
  task->branches.resize(static_cast<size_t>(task->hypotheses));
  for (Branch& branch : task->branches) {
    branch.ids = {start};
  }
  if (params.num_beams > 1) {
    task->beams = std::make_unique<BeamSearch>(beam_options(params, rules.max_length, rules.eos_ids),
                                               std::span(task->branches.front().ids));
  }
  task->submitted = std::chrono::steady_clock::now();
  task->request = std::move(request);
  return task;
}

}  // namespace slipway::engine
