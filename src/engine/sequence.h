// One request on its way: its tokens, its pages, its text. Internal to the scheduler, used by its thread alone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "engine/beam_group.h"
#include "engine/generator.h"
#include "engine/sampler.h"
#include "engine/stop_text.h"
#include "engine/token_text.h"
#include "text/stream_decoder.h"

namespace slipway::engine {

using SteadyTime = std::chrono::steady_clock::time_point;

struct Sequence {
  Sequence(GenerateRequest r, uint64_t h, uint64_t seed, const std::vector<int32_t>& eos_ids,
           const text::Tokenizer& tokenizer);
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  int size() const { return static_cast<int>(ids.size()); }
  int pending() const { return size() - done; }  // tokens whose keys and values are not computed
  int generated() const { return size() - prompt_tokens; }
  int width() const { return request.beams.num_beams; }  // rows of a pass once it streams
  // Whether its next pass is one row that gives the next token of a stream that has begun.
  bool streaming() const { return pending() == 1 && generated() > 0; }

  // Chooses the next token from its logits, within the request's constraint. Throws as Sampler and ConstrainedText do,
  // and Error(kInvalid) when no token of the vocabulary continues a constrained text.
  Sampled sample(std::span<float> logits, std::vector<Candidate>& scratch);
  // Takes the token that was sampled: its text, its event, whether it ends the request.
  void accept(const Sampled& sampled, const TokenText& token_text, int context_length);
  // Takes what the search found, once it is over: its texts, why they end.
  void take_beams(const text::Tokenizer& tokenizer);
  // Calls on_done; `reason` is used when nothing ended the request before.
  void finish(FinishReason reason);

  GenerateRequest request;
  uint64_t handle = 0;
  std::vector<int32_t> ids;  // prompt, then output
  int prompt_tokens = 0;
  int adapter = -1;  // which of the generator's; -1: none
  int done = 0;      // of ids, in the KV cache
  std::vector<int32_t> pages;
  int sealed = 0;  // pages that can be found
  // From the prompt's end on, where beams are searched: then they have the pages, and `ids` is one of them.
  std::unique_ptr<BeamGroup> beams;
  // Of a stream whose next tokens are guessed: its last token, then the guesses.
  std::vector<int32_t> draft;
  int draft_length = 4;  // how many to guess: grows while guesses hold
  bool begun = false;
  bool preempted = false;  // at some time
  std::optional<FinishReason> ended;
  std::vector<int32_t> end_ids;
  Sampler sampler;
  std::optional<text::ConstrainedText> constrained;
  std::vector<uint64_t> allowed;  // the tokens that may come next, while one is chosen
  text::StreamDecoder decoder;
  StopText stop;
  GenerateResult result;
  SteadyTime submitted = std::chrono::steady_clock::now();

 private:
  void emit(TokenEvent event) noexcept;
};

}  // namespace slipway::engine
