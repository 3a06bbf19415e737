// Fast inference on the CPU. An Engine owns the mapped weights (packed once for the instruction set in use) and its
// scratch; the pool is borrowed. Any thread may call forward(), several at a time: they take turns on the pool.
// Nothing is padded: a batch is the concatenation of its texts' tokens ("packed"), attention runs per text.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/fields.h"
#include "base/pool.h"
#include "model/folder.h"
#include "model/model_spec.h"
#include "model/predictor.h"
#include "text/tokenizer.h"

namespace slipway::engine {

struct EngineOptions {
  std::string precision = "auto";  // "float32", "int8", or "auto": int8 when the folder has model.int8.safetensors
  std::string isa = {};            // limit of the instruction set, see base::select_isa; empty = best
  int max_tokens = 4096;           // tokens computed in one go; larger inputs are cut into several batches
  void describe(base::FieldTable& table);
};

// One text, or a pair of them, as ids with special tokens.
struct Input {
  std::vector<int32_t> ids;
  std::vector<int32_t> types = {};  // token types, one an id; empty: all 0
  std::vector<int32_t> rows = {};   // tokens that a head over tokens shall score: indices into ids, each at most once
  bool hidden = false;              // the last hidden states are wanted
  // Asked by the batcher when its turn comes, on the scheduler's thread: false drops it uncomputed. Empty: wanted.
  std::function<bool()> wanted = {};
};

// What one pass gives: logits [texts, labels] of a head for sequence classification and normalised embeddings [texts,
// hidden], pooled as the folder says.
struct Output {
  model::Matrix logits;
  model::Matrix embeddings;
  // Of inputs that ask for them: [rows, spec().outputs()] by a head over tokens, and [ids, hidden]. Empty where none
  // does.
  std::vector<model::Matrix> token_logits;
  std::vector<model::Matrix> hidden;
};

// Ids and, where the model tells texts of a pair apart by them, token types.
Input input_of(const model::ModelSpec& spec, text::Encoding encoding);

class Engine final : public model::Predictor {
 public:
  // Loads a model folder (config.json, weights in floats and/or model.int8.safetensors, tokenizer.json), or a file of
  // static word vectors. Throws Error(kNotFound | kInvalid | kIntegrity).
  static std::unique_ptr<Engine> load(const std::filesystem::path& path, const EngineOptions& options,
                                      base::Pool& pool);
  ~Engine() override;

  const std::vector<std::string>& labels() const override;
  model::Matrix logits(std::span<const std::string> texts) override;
  model::Matrix embed(std::span<const std::string> texts) override;

  // Token ids in (special tokens included), everything out; texts are grouped into batches of at most max_tokens.
  Output forward(std::span<const std::vector<int32_t>> token_ids);
  // The same of pairs and for heads over tokens. Without `embeddings` a classifier computes less.
  Output forward(std::span<const Input> inputs, bool embeddings = true);

  // Throws Error(kInvalid) for a text that forward() would refuse: no tokens, too many, an id, type or row out of
  // range, rows where the model has no head over tokens.
  void check(const Input& input) const;

  const model::ModelSpec& spec() const;
  const text::Tokenizer& tokenizer() const;
  // Ids of a text with special tokens, truncated to the model's length.
  std::vector<int32_t> encode(const std::string& text) const;
  // Two texts as one input, the longer one cut where both do not fit. Throws Error(kInvalid) where the tokenizer takes
  // no pairs.
  Input encode_pair(const std::string& first, const std::string& second) const;
  model::Pooling pooling() const;
  const std::string& precision() const;  // "float32" or "int8"
  base::Isa isa() const;
  int64_t weight_bytes() const;

 private:
  Engine();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::engine
