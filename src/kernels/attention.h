// Self-attention of one text, all positions to all positions, without mask or padding (a bias may tell positions
// apart): the rows of a text are contiguous in a packed batch and each text is one call. Any thread.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace slipway::kernels {

// A query block of a text: output rows [first, first + rows) of heads [first_head, first_head + heads).
struct AttentionArgs {
  int length = 0;  // tokens of the text
  int head_dim = 0;
  int heads = 0;  // heads to compute
  int first_head = 0;
  int first = 0;
  int rows = 0;
  // q, k, v of token t and head h begin at q + t * ld + h * head_dim, and the same for k and v.
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  int64_t ld = 0;
  // Output of token t, head h: out + t * ld_out + h * head_dim.
  float* out = nullptr;
  int64_t ld_out = 0;
  // Added to the scores before they are scaled: of row i and key j at bias + i * ld_bias + j, head h's from h *
  // head_bias on. A bias of the distance alone is one vector with ld_bias = -1. Null: none.
  const float* bias = nullptr;
  int64_t ld_bias = 0;
  int64_t head_bias = 0;
  float scale = 0;  // of the scores; 0: 1 / sqrt(head_dim)
};

// out = softmax(scale (q k^T + bias)) v; length is that of the keys. `scratch` holds attention_scratch(isa, length,
// head_dim) floats, aligned to 64. A row's result depends on the text alone, not on how rows and heads are cut into
// calls.
void attention(base::Isa isa, const AttentionArgs& args, float* scratch) noexcept;
int64_t attention_scratch(base::Isa isa, int length, int head_dim) noexcept;

}  // namespace slipway::kernels
