// Causal attention of new rows over a paged cache of keys and values, with grouped query heads (GQA: heads / kv_heads
// query heads share one), sliding window and soft-capped scores. One call takes rows of many sequences: decoding (one
// row each) and chunks of prompts alike. Any thread; everything is borrowed for the call.
//
// A page holds page_tokens positions of one layer, keys and values apart, in the element type of the cache:
//   keys   [kv_heads][head_dim][page_tokens]   (transposed: sixteen scores are one vector)
//   values [kv_heads][page_tokens][head_dim]
// 8-bit ones are followed by the scale of each head's vector at each position, f16 [kv_heads][page_tokens]:
// scale = largest magnitude / 127, value = scale * q. Half the bytes of f16, and 2 / head_dim more.
// Position p of a sequence lies in its page p / page_tokens at p % page_tokens. Slots not yet written are never used.
//
// Encoder-decoders use the same kernel: rows over a memory that is complete (an encoder's rows over their own text, a
// decoder's over the encoder's) see all of it, and a bias by relative position is added to the scores (T5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "base/pool.h"

namespace slipway::kernels {

enum class KvType { kF16, kF32, kI8 };

struct KvLayout {
  int kv_heads = 0;
  int head_dim = 0;      // fastest where it is a multiple of 16
  int page_tokens = 32;  // a multiple of 16
  KvType type = KvType::kF16;

  // Of the keys of one page of one layer; its values take the same. Pages are aligned to 64.
  int64_t page_bytes() const noexcept { return int64_t{kv_heads} * page_tokens * vector_bytes(); }
  // Of one head's vector at one position, its scale included.
  int64_t vector_bytes() const noexcept {
    switch (type) {
      case KvType::kF16: return int64_t{2} * head_dim;
      case KvType::kI8: return int64_t{head_dim} + 2;
      case KvType::kF32: break;
    }
    return int64_t{4} * head_dim;
  }
};

// New rows of one sequence, in one layer.
struct CachedRows {
  int rows = 0;
  int position = 0;          // of the first of them; the cache holds 0 .. position - 1 before store_kv()
  const float* q = nullptr;  // [rows, heads * head_dim], row stride ldq
  int64_t ldq = 0;
  const float* k = nullptr;  // [rows, kv_heads * head_dim], after rope; only store_kv() reads k and v
  const float* v = nullptr;
  int64_t ldkv = 0;
  float* out = nullptr;  // [rows, heads * head_dim], row stride ld_out
  int64_t ld_out = 0;
  std::byte* const* k_pages = nullptr;  // [ceil((position + rows) / page_tokens)]
  std::byte* const* v_pages = nullptr;
  // > 0: every row sees the positions 0 .. memory - 1, whatever its own (no causal mask, no window); the pages are
  // [ceil(memory / page_tokens)].
  int memory = 0;
};

struct CachedAttention {
  KvLayout layout;
  int heads = 0;      // a multiple of layout.kv_heads
  float scale = 0;    // of q k^T: usually 1 / sqrt(head_dim)
  float softcap = 0;  // > 0: scores become softcap * tanh(score / softcap)
  int window = 0;     // > 0: a row sees itself and the window - 1 positions before it
  // Added to the scores (after softcap): of a row at position p and head h, bias[h * ld_bias + (t - p)] for position t.
  // Points at distance 0 of head 0; every distance that occurs lies in its head's part. Null: none.
  const float* bias = nullptr;
  int64_t ld_bias = 0;
  std::span<const CachedRows> sequences;
};

// Writes k and v of every sequence's rows to its pages.
void store_kv(base::Isa isa, const CachedAttention& args);

// out = softmax(mask(softcap(scale q k^T) + bias)) v for every row, each over positions 0 .. its own (the new rows
// included: store_kv() comes first). A row's result depends on its own query and cache alone, not on how rows are cut
// into calls nor on threads. `pool` may be null; items handed out are (sequence, kv head, some rows).
void attention_cached(base::Isa isa, const CachedAttention& args, base::Pool* pool);

}  // namespace slipway::kernels
