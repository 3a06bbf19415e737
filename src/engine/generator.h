// Text generation with a decoder: requests from many clients share one model, one KV cache and one scheduler thread.
// Every step of that thread is one pass over a packed batch: one row for each running sequence and, within
// max_batch_tokens, a piece of the prompts that wait (continuous batching, Yu et al. 2022 "Orca"; chunked prefill,
// Agrawal et al. 2024 "Sarathi-Serve"). Keys and values lie in pages that sequences with the same beginning share
// (Kwon et al. 2023 "PagedAttention").
//
// A request's tokens depend on its ids, its parameters and its seed, never on what else is in the batch.
// Any thread may call any function of a Generator.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/pool.h"
#include "engine/beam_params.h"
#include "text/constraint.h"
#include "text/tokenizer.h"

namespace slipway::engine {

// How the next token is chosen. Applied in this order (transformers' order of its logits processors): what the
// request's constraint allows; logit bias; repetition, frequency and presence penalty; temperature; top-k; top-p;
// min-p; typical-p; then one draw.
struct SamplingParams {
  double temperature = 1;         // 0: the likeliest token, the lower id among equals
  int top_k = 0;                  // keep the k likeliest; 0: all
  double top_p = 1;               // keep the likeliest whose probabilities reach p (Holtzman et al. 2020); 1: all
  double min_p = 0;               // keep those of at least p times the best one's probability (Nguyen et al. 2024)
  double typical_p = 1;           // locally typical sampling (Meister et al. 2023); 1: off
  double repetition_penalty = 1;  // of tokens in prompt or output (Keskar et al. 2019, CTRL); 1: off
  double frequency_penalty = 0;   // subtracted for each time a token is in the output, as OpenAI defines it
  double presence_penalty = 0;    // subtracted once for a token in the output
  std::vector<std::pair<int32_t, double>> logit_bias;  // added to the logits of these ids
  std::optional<uint64_t> seed;                        // none: one is drawn, and told in the result
  std::vector<std::string> stop;                       // ends the text before any of these; at most 16, none empty
  std::vector<int32_t> stop_token_ids;                 // end the text like the model's own end tokens
  bool ignore_eos = false;                             // go on after the model's end tokens
  int min_tokens = 0;                                  // the model's end tokens are not chosen before
  int top_logprobs = -1;  // -1: none; 0: of the chosen token; n: of the n likeliest too (at most 20)

  // The numbers, flags and stop strings; not the seed, the biases and the stop tokens.
  void describe(base::FieldTable& table);
};

struct TokenLogprob {
  int32_t id = 0;
  std::string token;  // its text alone, a space it begins with included; U+FFFD for parts of a character
  float logprob = 0;  // natural log of softmax(logits), before penalties and temperature
};

// One token that was generated.
struct TokenEvent {
  int index = 0;  // 0 for the first
  int32_t id = 0;
  std::string token;  // as in TokenLogprob
  bool end = false;   // an end token: it ends the request and has no text
  // The text to show now: complete UTF-8; empty while a character is incomplete or a stop string may have begun. The
  // concatenation over all events, and Result::text_tail, is Result::text.
  std::string text;
  float logprob = 0;                       // set when top_logprobs >= 0
  std::vector<TokenLogprob> top_logprobs;  // by falling probability
};

enum class FinishReason {
  kStop,       // an end token or a stop string
  kLength,     // max_tokens, or the context is full
  kCancelled,  // cancel(), or the generator was destroyed
  kError,      // see GenerateResult::error
};
const char* finish_reason_name(FinishReason reason) noexcept;  // "stop", "length", "cancelled", "error"

struct Usage {
  int prompt_tokens = 0;
  int completion_tokens = 0;  // the end token included
  int cached_tokens = 0;      // of the prompt, whose keys and values another request had computed
};

struct GenerateResult {
  FinishReason finish_reason = FinishReason::kStop;
  std::string text;          // the whole output, without the stop string
  std::string text_tail;     // its end that no TokenEvent carried
  std::string stopped_by;    // the stop string, when one ended it
  std::vector<int32_t> ids;  // the output's tokens, an end token included
  double logprob = 0;        // sum over the tokens, when top_logprobs >= 0
  float score = 0;           // of beam search: sum of log-probabilities / length^length_penalty
  // Of beam search: the next best, num_return_sequences - 1, by falling score; each with its ids, text, score,
  // finish_reason and completion_tokens.
  std::vector<GenerateResult> others;
  Usage usage;
  uint64_t seed = 0;
  // With prompt_logprobs_from = f: log p(ids[i] | ids[0..i-1]) of the prompt for i = f ... prompt_tokens - 1.
  std::vector<float> prompt_logprobs;
  std::chrono::microseconds queued{};       // until its first row was computed
  std::chrono::microseconds first_token{};  // from submit to the first token
  std::chrono::microseconds total{};
  std::exception_ptr error;
};

struct GenerateRequest {
  std::vector<int32_t> ids;  // the prompt, special tokens included; at least one
  int max_tokens = 16;       // 0 is allowed: only the prompt is computed
  SamplingParams sampling;
  // With num_beams above 1 the likeliest text is searched, transformers' token for token, instead of drawn token by
  // token: of `sampling` only repetition_penalty, logit_bias, min_tokens and the end tokens count; there are no
  // TokenEvents, the text comes with the result.
  BeamParams beams;
  // What the whole output must match, or null: only tokens that can still lead there are chosen, end tokens only where
  // it may end there, and the output ends where nothing can follow. Of this generator's tokenizer.
  std::shared_ptr<const text::Constraint> constraint;
  std::string adapter;           // one of GeneratorInfo::adapters; empty: the model itself
  int prompt_logprobs_from = 0;  // at least 1: tell the log-probabilities of the prompt's tokens from this one on
  std::string client;            // waiting requests are served round-robin over clients; empty is a client too
  // Called on the scheduler's thread, in order, `on_done` exactly once and last. They must be short (post elsewhere)
  // and not throw; they may call cancel() and submit().
  std::function<void(const TokenEvent&)> on_token;
  std::function<void(const GenerateResult&)> on_done;
};

struct GeneratorOptions {
  int max_batch_tokens = 256;        // rows of one pass: bounds how long a prompt's piece delays running streams
  int max_sequences = 64;            // running at once; others wait
  int max_queue = 256;               // waiting requests; more are refused
  int context_length = 0;            // tokens of a sequence, prompt and output; 0: the model's, at most 32768
  int64_t kv_cache_mb = 512;         // memory of the KV cache, which bounds how many sequences run
  std::string kv_type = "f16";       // "f16", "f32", or "int8": 8 bits and a scale for each head's vector
  std::string weight_type = "auto";  // as the file has them, or "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1"
  bool prefix_cache = true;          // keep pages of finished sequences for later prompts that begin alike
  // Tokens guessed from the text itself and checked together in one pass (0: none): faster where the output repeats the
  // prompt, as in summaries, corrections and code. The text stays the same.
  int speculate = 0;
  // Keep the packed weights in `cache_folder` for the next start (docs/formats/packed.md); without a folder never.
  bool packed_cache = true;
  std::string cache_folder = {};
  // LoRA adapters that requests may choose: each NAME=FOLDER, or FOLDER, whose last part is the name then.
  std::vector<std::string> lora = {};
  std::string isa = {};  // limit of the instruction set; empty: the best
  // All but `cache_folder`, `lora` and `isa`.
  void describe(base::FieldTable& table);
};

struct AdapterInfo {
  std::string name;
  std::string path;
  int rank = 0;  // the largest
  int64_t parameters = 0;
  int64_t bytes = 0;  // in memory, f32: what a pass with rows of this adapter reads
};

// What is loaded; constant.
struct GeneratorInfo {
  std::string architecture;  // "llama", "qwen2", ...
  std::string name;          // folder or file name without extension
  std::string weight_type;   // "F32", "Q4_1", ...: of most weights
  std::string kv_type;
  std::string isa;
  int64_t parameters = 0;
  int64_t weight_bytes = 0;    // read for each token
  bool packed_cached = false;  // the packed weights came from the cache
  int64_t kv_bytes_per_token = 0;
  int64_t kv_tokens = 0;  // capacity of the KV cache
  int context_length = 0;
  int vocab_size = 0;
  int page_tokens = 0;
  int32_t bos_id = -1;
  std::vector<int32_t> eos_ids;
  std::string bos_token;  // for chat templates
  std::string eos_token;
  std::string chat_template;  // Jinja; empty when the model has none
  std::vector<AdapterInfo> adapters;
};

struct GeneratorStats {
  int waiting = 0;
  int running = 0;
  int64_t kv_pages = 0;
  int64_t kv_pages_free = 0;    // never used, or given back
  int64_t kv_pages_cached = 0;  // of no running sequence, kept for reuse
  uint64_t steps = 0;
  uint64_t prompt_tokens = 0;
  uint64_t cached_tokens = 0;
  uint64_t generated_tokens = 0;
  uint64_t guessed_tokens = 0;   // by speculation
  uint64_t accepted_tokens = 0;  // of those
  uint64_t preemptions = 0;      // of sequences that gave up their pages, to be computed again
};

class Generator {
 public:
  virtual ~Generator() = default;

  // Queues a request and returns its handle. Throws Error(kUnavailable) when the queue is full or the generator drains;
  // Error(kInvalid) for an empty or too long prompt, ids outside the vocabulary, parameters out of range; kNotFound for
  // an adapter that is not there.
  virtual uint64_t submit(GenerateRequest request) = 0;
  // Ends a waiting or running request soon: its on_done comes with kCancelled. False when it is not there (any more).
  virtual bool cancel(uint64_t handle) = 0;
  // Takes no more requests; returns when those accepted are done, or, after `limit`, cancelled.
  virtual void drain(std::chrono::milliseconds limit) = 0;
  virtual GeneratorStats stats() const = 0;
  virtual const GeneratorInfo& info() const = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
};

// What a model is called that nobody gave a name: its folder's or file's.
std::string model_name(const std::filesystem::path& model);

// Loads a model folder (config.json, safetensors, tokenizer) or a .gguf file, and its adapters, and starts the
// scheduler's thread. The pool is borrowed and must outlive it. The destructor cancels what is left. Throws
// Error(kNotFound | kInvalid | kIntegrity).
std::unique_ptr<Generator> load_generator(const std::filesystem::path& model, const GeneratorOptions& options,
                                          base::Pool& pool);

// Submits and waits; rethrows what failed. Not from the scheduler's thread (its callbacks).
GenerateResult generate(Generator& generator, GenerateRequest request);

// Natural-log probabilities of ids[1..], each given those before: perplexity is exp(-mean). ids.size() - 1 numbers.
std::vector<float> score(Generator& generator, std::span<const int32_t> ids);

// Choice scoring as in lm-evaluation-harness: of each continuation after `prompt`, the sum of its log-probabilities.
// The prompt is computed once (prefix cache).
struct ChoiceScore {
  double logprob = 0;
  int tokens = 0;
};
std::vector<ChoiceScore> score_choices(Generator& generator, std::span<const int32_t> prompt,
                                       std::span<const std::vector<int32_t>> continuations);

}  // namespace slipway::engine
