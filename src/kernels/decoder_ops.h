// Row-wise pieces of decoders: RMS norm, rotary positions, gated activations, what happens to logits. All on f32,
// row-major, on the caller's thread; results depend on the row alone. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "kernels/gemm.h"

namespace slipway::kernels {

// y = x / sqrt(mean(x^2) + eps) * (weight + offset) for each of m rows of n; y may be x. Zhang & Sennrich 2019, eq. 4.
// offset is 1 for Gemma, whose files store weight - 1. A null weight is ones.
struct RmsNorm {
  const float* weight = nullptr;  // [n]
  float eps = 1e-6F;
  float offset = 0;
};
void rms_norm(base::Isa isa, int m, int n, const float* x, int64_t ldx, const RmsNorm& norm, float* y,
              int64_t ldy) noexcept;

// Cosine and sine of position * inv_freq[i], for positions [0, positions). Immutable once made.
class RopeTable {
 public:
  RopeTable() = default;
  // inv_freq [rotary_dim / 2], already scaled (linear, llama3, yarn); both tables are multiplied by `factor` (yarn's
  // attention factor, else 1). The angle is rounded to f32 as Hugging Face does. 4 * rotary_dim bytes a position.
  RopeTable(std::span<const float> inv_freq, int positions, float factor = 1);

  int rotary_dim() const noexcept { return 2 * half_; }
  int positions() const noexcept { return positions_; }
  const float* cosines(int position) const noexcept {
    return values_.data() + static_cast<int64_t>(position) * 2 * half_;
  }
  const float* sines(int position) const noexcept { return cosines(position) + half_; }

 private:
  int half_ = 0;
  int positions_ = 0;
  std::vector<float> values_;
};

// theta^(-2 i / dim) for i in [0, dim / 2): inv_freq without scaling. Su et al. 2021, section 3.2.2.
std::vector<float> rope_inverse_frequencies(float theta, int dim);

// Turns the first rotary_dim() values of each head of one row x [heads, head_dim], in place, by the angles of
// `position` < table.positions(). Pairs are (i, i + rotary_dim / 2), Hugging Face's and "neox" order; interleaved:
// (2 i, 2 i + 1), as GGUF files of Llama hold it.
void rope(base::Isa isa, const RopeTable& table, int position, int heads, int head_dim, bool interleaved,
          float* x) noexcept;

// y = gate(g) * u over n values; y may be g or u. SwiGLU with kSilu, GeGLU with kGelu or kGeluTanh (Shazeer 2020).
void gated(base::Isa isa, Activation gate, int64_t n, const float* g, const float* u, float* y) noexcept;

// y += x over n values.
void add(base::Isa isa, int64_t n, const float* x, float* y) noexcept;
// x *= factor over n values (Gemma's embeddings, logit scales).
void scale(base::Isa isa, int64_t n, float factor, float* x) noexcept;
// x = cap * tanh(x / cap) over n values, cap > 0 (Gemma 2).
void softcap(base::Isa isa, int64_t n, float cap, float* x) noexcept;

// Over n >= 1 logits; in place where the name says so. (Softmax itself: elementwise.h.)
// log(sum(exp(x))), so that a token's log-probability is x[token] - log_sum_exp.
float log_sum_exp(base::Isa isa, int n, const float* x) noexcept;
void log_softmax(base::Isa isa, int n, float* x) noexcept;
// The first index of the largest value. NaNs are never chosen; 0 when all are.
int argmax(base::Isa isa, int n, const float* x) noexcept;

}  // namespace slipway::kernels
