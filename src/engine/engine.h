// Fast inference on the CPU. An Engine owns the mapped weights (packed once for the instruction set in use) and its
// scratch; the pool is borrowed. Any thread may call forward(), several at a time: they take turns on the pool.
// Nothing is padded: a batch is the concatenation of its texts' tokens ("packed"), attention runs per text.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/fields.h"
#include "base/pool.h"
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

// What one pass gives: logits [texts, labels] and normalised mean-pooled embeddings [texts, hidden].
struct Output {
  model::Matrix logits;
  model::Matrix embeddings;
};

class Engine final : public model::Predictor {
 public:
  // Loads a model folder (config.json, model.safetensors and/or model.int8.safetensors, tokenizer.json).
  // Throws Error(kNotFound | kInvalid | kIntegrity).
  static std::unique_ptr<Engine> load(const std::filesystem::path& folder, const EngineOptions& options,
                                      base::Pool& pool);
  ~Engine() override;

  const std::vector<std::string>& labels() const override;
  model::Matrix logits(std::span<const std::string> texts) override;
  model::Matrix embed(std::span<const std::string> texts) override;

  // Token ids in (special tokens included), everything out; texts are grouped into batches of at most max_tokens.
  Output forward(std::span<const std::vector<int32_t>> token_ids);

  // Throws Error(kInvalid) for a text that forward() would refuse: no tokens, too many, an id outside the vocabulary.
  void check(std::span<const int32_t> ids) const;

  const model::ModelSpec& spec() const;
  const text::Tokenizer& tokenizer() const;
  // Ids of a text with special tokens, truncated to the model's length.
  std::vector<int32_t> encode(const std::string& text) const;
  const std::string& precision() const;  // "float32" or "int8"
  base::Isa isa() const;
  int64_t weight_bytes() const;

 private:
  Engine();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::engine
