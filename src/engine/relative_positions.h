// How attention tells distances apart in encoders whose scores depend on them: a bias of the distance alone (MPNet, and
// windows of ModernBERT), and DeBERTa-v2's disentangled attention, where content meets position. Immutable once made;
// any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "kernels/attention.h"
#include "kernels/gemm.h"

namespace slipway::engine {

// DeBERTa's bucket for query position - key position: exact within `buckets` / 2, logarithmic beyond, up to +-(buckets
// - 1) at max_relative - 1 (He et al. 2021, section 2.3 of v3's code). Without buckets the distance itself.
int deberta_bucket(int distance, int buckets, int max_relative);

// One value for each head and distance.
class DistanceBias {
 public:
  DistanceBias() = default;
  // table [buckets, heads] as in MPNet's files, its rows by T5's buckets (model::relative_bucket); texts of up to
  // `tokens`. The kernel adds before it scales: `scale` is divided out.
  DistanceBias(std::span<const float> table, int buckets, int heads, int tokens, float scale);
  // Zero within `window` tokens on each side, so low outside that no weight is left; for distances up to `tokens`.
  static DistanceBias window(int window, int tokens);

  bool empty() const noexcept { return values_.empty(); }
  // Sets the bias of args whose first row is `shift` tokens after its first key.
  void apply(kernels::AttentionArgs& args, int shift = 0) const noexcept;

 private:
  int tokens_ = 0;
  int64_t head_stride_ = 0;
  std::vector<float> values_;  // [heads][2 tokens - 1]: of distance d at d + tokens - 1
};

// DeBERTa's row of the table for each distance.
class DistanceBuckets {
 public:
  DistanceBuckets() = default;
  // 2 * span rows; buckets as deberta_bucket (0: none).
  DistanceBuckets(int span, int buckets, int max_relative, int tokens);
  int rows() const noexcept { return rows_; }
  // at()[query - key], for distances below `tokens` on either side.
  const int32_t* at() const noexcept { return rows_of_.data() + tokens_ - 1; }

 private:
  int rows_ = 0;
  int tokens_ = 0;
  std::vector<int32_t> rows_of_;
};

// The table of relative positions through a layer's key and query projections: one packed matrix [rows, head_dim] a
// head. Empty where the model does not use them.
struct PositionProjections {
  std::vector<kernels::PackedF32> keys;
  std::vector<kernels::PackedF32> queries;
};

// Attention with scores scaled by 1 / sqrt(head_dim (1 + terms)), each the sum of q k^T, q keys[bucket]^T and
// queries[bucket] k^T (He et al. 2021, eq. 4). `scratch` holds disentangled_scratch() floats, aligned to 64.
void disentangled_attention(base::Isa isa, kernels::AttentionArgs args, const PositionProjections& positions,
                            const DistanceBuckets& buckets, float* scratch);
int64_t disentangled_scratch(base::Isa isa, int length, int head_dim, int rows) noexcept;

// Attention where a token sees `window` tokens on each side: block by block of rows, with the keys they see.
void window_attention(base::Isa isa, const kernels::AttentionArgs& args, int window, const DistanceBias& bias,
                      float* scratch);
// Rows of a block, and so by how much keys are further away than the window: DistanceBias::window takes both.
constexpr int kWindowRows = 64;

}  // namespace slipway::engine
