// One pass of an encoder and its head over a packed batch: the texts' tokens one after the other, no padding.
// A text's results are the same bits whatever else is in the batch and however many threads compute it: every product's
// row depends on that row alone (kernels/gemm.h), attention sees one text.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/pool.h"
#include "engine/weights.h"

namespace slipway::engine {

// Buffers of one pass; grow as needed, reused from pass to pass. One pass at a time.
struct Scratch {
  template <class T>
  struct Buffer {
    kernels::AlignedBuffer<T> data;
    size_t capacity = 0;
    T* reserve(size_t count) {
      if (count > capacity) {
        data.reset();
        data = kernels::aligned_array<T>(count);
        capacity = count;
      }
      return data.get();
    }
  };
  Buffer<float> floats;
  Buffer<uint8_t> bytes;
  Buffer<float> attention;
};

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

// `pool`: the threads that share this pass's products and attention; null for the caller alone.
void run_encoder(const Weights& weights, std::span<const EncoderText> texts, const Wanted& wanted, Scratch& scratch,
                 base::Pool* pool);

}  // namespace slipway::engine
