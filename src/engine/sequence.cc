#include "engine/sequence.h"

#include <algorithm>

#include "base/error.h"

namespace slipway::engine {
namespace {

std::vector<int32_t> end_ids_of(const SamplingParams& sampling, const std::vector<int32_t>& eos_ids) {
  std::vector<int32_t> ids = sampling.stop_token_ids;
  if (!sampling.ignore_eos) {
    ids.insert(ids.end(), eos_ids.begin(), eos_ids.end());
  }
  return ids;
}

std::chrono::microseconds since(SteadyTime begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

Sequence::Sequence(GenerateRequest r, uint64_t h, uint64_t seed, const std::vector<int32_t>& eos_ids,
                   const text::Tokenizer& tokenizer)
    : request(std::move(r)),
      handle(h),
      ids(request.ids),
      prompt_tokens(static_cast<int>(request.ids.size())),
      end_ids(end_ids_of(request.sampling, eos_ids)),
      sampler(request.sampling, request.ids, end_ids, seed),
      decoder(tokenizer),
      stop(request.sampling.stop) {
  result.seed = seed;
  result.usage.prompt_tokens = prompt_tokens;
  if (request.constraint) {
    constrained.emplace(request.constraint);
    allowed.resize(request.constraint->words());
  }
}

Sampled Sequence::sample(std::span<float> logits, std::vector<Candidate>& scratch) {
  if (!constrained) {
    return sampler.sample(logits, scratch);
  }
  constrained->allowed(allowed);
  for (const int32_t id : end_ids) {
    const auto word = static_cast<size_t>(id) / 64;
    const uint64_t bit = uint64_t{1} << (static_cast<size_t>(id) % 64);
    if (word < allowed.size()) {
      allowed[word] = constrained->can_end() ? allowed[word] | bit : allowed[word] & ~bit;
    }
  }
  if (std::all_of(allowed.begin(), allowed.end(), [](uint64_t word) { return word == 0; })) {
    throw base::Error(base::Code::kInvalid, "no token of the model's vocabulary continues the constrained text");
  }
  return sampler.sample(logits, scratch, allowed);
}

// A callback that throws breaks its contract; what it throws must not end the thread that all requests share.
void Sequence::emit(TokenEvent event) noexcept {
  try {
    if (request.on_token) {
      request.on_token(event);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

void Sequence::accept(const Sampled& sampled, const TokenText& token_text, int context_length) {
  if (result.ids.empty()) {
    result.first_token = since(submitted);
  }
  TokenEvent event;
  event.index = static_cast<int>(result.ids.size());
  event.id = sampled.id;
  event.logprob = sampled.logprob;
  result.logprob += sampled.logprob;
  event.token = token_text.of(sampled.id);
  for (const auto& [id, logprob] : sampled.likely) {
    event.top_logprobs.push_back({id, token_text.of(id), logprob});
  }
  ids.push_back(sampled.id);
  result.ids.push_back(sampled.id);
  if (std::find(end_ids.begin(), end_ids.end(), sampled.id) != end_ids.end()) {
    event.end = true;
    ended = FinishReason::kStop;
  } else {
    event.text = stop.push(decoder.push(sampled.id));
    const bool follows = !constrained || constrained->accept(sampled.id);
    SLIPWAY_CHECK(follows);  // only such tokens were allowed
    if (constrained && constrained->must_end() && !stop.stopped()) {
      ended = FinishReason::kStop;
    } else if (stop.stopped()) {
      result.stopped_by = stop.stopped_by();
      ended = FinishReason::kStop;
    } else if (generated() >= request.max_tokens || size() >= context_length) {
      ended = FinishReason::kLength;
    }
  }
  result.text += event.text;
  emit(std::move(event));
}

void Sequence::take_beams(const text::Tokenizer& tokenizer) {
  const auto fill = [&](const Hypothesis& one, GenerateResult& out) {
    out.ids.assign(one.ids.begin() + prompt_tokens, one.ids.end());
    out.score = one.score;
    const bool stops = std::find(end_ids.begin(), end_ids.end(), out.ids.back()) != end_ids.end();
    text::StreamDecoder texts(tokenizer);
    for (const int32_t id : std::span(out.ids).first(out.ids.size() - (stops ? 1 : 0))) {
      out.text += texts.push(id);
    }
    out.text += texts.flush();
    out.text_tail = out.text;
    out.finish_reason = stops ? FinishReason::kStop : FinishReason::kLength;
    out.usage.completion_tokens = static_cast<int>(out.ids.size());
    out.usage.prompt_tokens = prompt_tokens;
  };
  const std::vector<Hypothesis> best = beams->best(request.beams.num_return_sequences);
  fill(best.front(), result);
  ids = best.front().ids;
  ended = result.finish_reason;
  for (const Hypothesis& one : std::span(best).subspan(1)) {
    fill(one, result.others.emplace_back());
    result.others.back().seed = result.seed;
  }
  result.first_token = since(submitted);  // nothing was told before
}

void Sequence::finish(FinishReason reason) {
  result.finish_reason = ended.value_or(reason);
  if (width() == 1 && !stop.stopped()) {
    result.text_tail = stop.push(decoder.flush());
    if (stop.stopped()) {
      result.stopped_by = stop.stopped_by();
    } else {
      result.text_tail += stop.finish();
    }
    result.text += result.text_tail;
  }
  result.usage.completion_tokens = generated();
  result.total = since(submitted);
  try {
    if (request.on_done) {
      request.on_done(result);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

}  // namespace slipway::engine
