// What an Engine asks of a model: one pass over a packed batch of texts, nothing padded. Implemented by Encoder
// (transformers), RecurrentEncoder (LSTM, GRU) and VectorEncoder (static word vectors). Immutable once loaded; any
// thread, several passes at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/pool.h"
#include "engine/schedule.h"
#include "model/folder.h"

namespace slipway::engine {

// What is wanted of a pass; less is computed when only logits are (the last layer for first tokens alone).
struct Wanted {
  bool logits = true;  // of a text, by a head for sequence classification
  bool embeddings = true;
  bool tokens = false;  // of tokens: hidden states, and what a head over tokens says
  model::Pooling pooling = model::Pooling::kMean;
};

struct EncoderText {
  std::span<const int32_t> ids;    // 1..max_tokens() ids of the vocabulary
  std::span<const int32_t> types;  // token types, one an id; empty: all 0
  float* logits = nullptr;         // [labels], written when wanted and there is a classifier
  float* embedding = nullptr;      // [hidden], written when wanted
  // Written when tokens are wanted; null: not needed.
  std::span<const int32_t> rows;  // tokens whose logits are wanted, as indices into ids
  float* token_logits = nullptr;  // [rows, spec.outputs()], by a head over tokens
  float* hidden = nullptr;        // [ids, hidden], the last hidden states
};

class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  // A text's results are the same bits whatever else is in the batch and however many threads compute it. `pool`: the
  // threads that share this pass; null for the caller alone.
  virtual void run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* pool) const = 0;
  virtual const model::ModelSpec& spec() const = 0;
  virtual bool int8() const = 0;
  virtual int64_t bytes() const = 0;  // of weights
  // About how many tokens a pass should have.
  virtual int pass_tokens() const { return kPassTokens; }
};

// Buffers of passes, one a pass that runs at the same time; they keep their memory. Any thread.
template <class Scratch>
class ScratchList {
 public:
  // One that is free, else a new one made of `arguments`.
  template <class... Arguments>
  std::unique_ptr<Scratch> take(Arguments&&... arguments) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      return std::make_unique<Scratch>(std::forward<Arguments>(arguments)...);
    }
    std::unique_ptr<Scratch> scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;  // guards free_
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace slipway::engine
