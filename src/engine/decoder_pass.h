// What the scheduler asks of a model: one pass over rows of many sequences. Implemented by Decoder; tests put a small
// function in its place.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::engine {

// One sequence's part of a pass: tokens that follow those whose keys and values its pages hold already.
struct PassRows {
  std::span<const int32_t> ids;    // at least one
  int first = 0;                   // position of ids[0] in the sequence
  std::span<const int32_t> pages;  // page i holds positions [i * page_tokens, (i + 1) * page_tokens); enough for ids
  int logits_from = 0;             // logits are wanted of ids[logits_from ..]; ids.size(): of none
  int adapter = -1;                // which of the model's adapters; -1: none
};

class DecoderPass {
 public:
  virtual ~DecoderPass() = default;
  // Computes the rows of all sequences, writes their keys and values into their pages, and the wanted logits
  // [wanted rows of all sequences, in order; vocab_size] into `logits`, which grows as needed and keeps its memory.
  // Sequences of one call have no page in common that one of them writes. A row's result depends on its sequence's
  // tokens alone. One thread at a time.
  virtual void forward(std::span<const PassRows> rows, std::vector<float>& logits) = 0;
  // Copies what a page holds to another one.
  virtual void copy_page(int32_t from, int32_t to) = 0;
  virtual int vocab_size() const = 0;
};

}  // namespace slipway::engine
