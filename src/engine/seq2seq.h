// Texts from texts with an encoder-decoder (T5, BART, Marian, M2M100 and their like): translation, summaries, any task
// of text to text. Requests of many clients share one model and one thread: waiting texts are encoded together, packed
// without padding within max_batch_tokens, and every step of the decoder is one pass over all hypotheses of all running
// requests. A request's tokens depend on its ids, parameters and seed, never on what else is in the batch.
// Any thread may call any function of a Seq2Seq.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/pool.h"
#include "engine/beam_params.h"
#include "engine/generator.h"
#include "engine/token_rules.h"
#include "text/tokenizer.h"

namespace slipway::engine {

// How texts are generated; names and meanings are those of transformers' GenerationConfig, which generation_config.json
// holds.
struct Seq2SeqParams : BeamParams {  // num_return_sequences: at most num_beams, unless drawn
  int max_length = 0;      // tokens of the output, the first (decoder_start) included; 0: max_new_tokens counts
  int max_new_tokens = 0;  // without the first; goes before max_length; both 0: 256
  int min_length = 0;
  int min_new_tokens = 0;
  double repetition_penalty = 1;
  bool do_sample = false;  // draw, by the parameters below, instead of taking the likeliest
  double temperature = 1;
  int top_k = 50;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  std::optional<uint64_t> seed;  // none: one is drawn
  std::optional<int32_t> decoder_start_token_id;
  std::optional<int32_t> forced_bos_token_id;
  std::optional<int32_t> forced_eos_token_id;
  std::vector<std::vector<int32_t>> bad_words_ids;
  std::vector<int32_t> suppress_tokens;

  void describe(base::FieldTable& table);  // numbers, flags and words; not the ids
  // Takes the values that `object` names. `known_only`: keys that are not among these are passed over (a file's), else
  // they are Error(kInvalid) with the nearest known one. Error(kInvalid) naming `where` also for wrong types and
  // ranges.
  void apply(const base::Json& object, const std::string& where, bool known_only);
};

struct Seq2SeqResult {
  struct Sequence {
    std::vector<int32_t> ids;  // after decoder_start; an end token included
    std::string text;          // without special tokens
    float score = 0;           // of beam search: sum of log-probabilities / length^length_penalty; else 0
  };
  std::vector<Sequence> sequences;  // num_return_sequences, by falling score
  bool cancelled = false;
  uint64_t seed = 0;  // of drawing
  std::chrono::microseconds total{};
  std::exception_ptr error;
};

struct Seq2SeqRequest {
  std::vector<int32_t> ids;  // the source, special tokens included; at least one
  Seq2SeqParams params;
  // Called on the model's thread, exactly once. Short, and it must not throw; it may call submit() and cancel().
  std::function<void(const Seq2SeqResult&)> on_done;
};

struct Seq2SeqOptions {
  int max_batch_tokens = 4096;       // of the texts encoded in one pass; a longer text goes alone
  int max_sequences = 64;            // hypotheses that run at once, also of one request; others wait
  int max_queue = 256;               // waiting requests; more are refused
  int context_length = 0;            // tokens of a source, and of an output; 0: the model's, at most 4096
  int64_t kv_cache_mb = 512;         // memory for keys and values of hypotheses, and as much again for encoded texts
  std::string weight_type = "auto";  // as the file has them, or "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1"
  std::string isa = {};              // limit of the instruction set; empty: the best
  void describe(base::FieldTable& table);
};

struct Seq2SeqInfo {
  std::string architecture;  // "t5", "marian", ...
  std::string name;          // the folder's
  std::string weight_type;
  std::string isa;
  int64_t parameters = 0;
  int64_t weight_bytes = 0;
  int context_length = 0;
  int vocab_size = 0;
  int32_t decoder_start_id = -1;  // -1: a request must say
  std::vector<int32_t> eos_ids;
  base::Json config;            // config.json
  base::Json tokenizer_config;  // {} when there is none
  Seq2SeqParams defaults;       // of generation_config.json, or config.json where there is none
};

struct Seq2SeqStats {
  int waiting = 0;
  int running = 0;
  uint64_t encoder_passes = 0;
  uint64_t decoder_passes = 0;
  uint64_t source_tokens = 0;
  uint64_t generated_tokens = 0;  // of all hypotheses
};

class Seq2Seq {
 public:
  virtual ~Seq2Seq() = default;
  // Queues a request and returns its handle. Throws Error(kUnavailable) when the queue is full or it drains;
  // Error(kInvalid) for an empty or too long source, ids outside the vocabulary, parameters out of range.
  virtual uint64_t submit(Seq2SeqRequest request) = 0;
  // Ends a waiting or running request soon, with `cancelled`. False when it is not there (any more).
  virtual bool cancel(uint64_t handle) = 0;
  // Takes no more requests; returns when those accepted are done, or, after `limit`, cancelled.
  virtual void drain(std::chrono::milliseconds limit) = 0;
  virtual Seq2SeqStats stats() const = 0;
  virtual const Seq2SeqInfo& info() const = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
};

// Loads a model folder and starts its thread. The pool is borrowed and must outlive it. The destructor cancels what is
// left. Throws Error(kNotFound | kInvalid | kIntegrity).
std::unique_ptr<Seq2Seq> load_seq2seq(const std::filesystem::path& folder, const Seq2SeqOptions& options,
                                      base::Pool& pool);

// Submits and waits; rethrows what failed. Not from the model's thread (on_done).
std::vector<Seq2SeqResult> generate(Seq2Seq& model, std::vector<Seq2SeqRequest> requests);

}  // namespace slipway::engine
