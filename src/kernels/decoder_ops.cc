#include "kernels/decoder_ops.h"

#include <cmath>

#include "base/error.h"
#include "kernels/table.h"

namespace slipway::kernels {

RopeTable::RopeTable(std::span<const float> inv_freq, int positions, float factor)
    : half_(static_cast<int>(inv_freq.size())), positions_(positions) {
  SLIPWAY_CHECK(positions >= 0);
  values_.resize(static_cast<size_t>(positions) * 2 * inv_freq.size());
  float* out = values_.data();
  for (int p = 0; p < positions; ++p, out += 2 * half_) {
    for (int i = 0; i < half_; ++i) {
      const double angle = static_cast<float>(p) * inv_freq[static_cast<size_t>(i)];
      out[i] = factor * static_cast<float>(std::cos(angle));
      out[half_ + i] = factor * static_cast<float>(std::sin(angle));
    }
  }
}

std::vector<float> rope_inverse_frequencies(float theta, int dim) {
  std::vector<float> inverse;
  for (int i = 0; i < dim / 2; ++i) {
    inverse.push_back(static_cast<float>(std::pow(static_cast<double>(theta), -2.0 * i / dim)));
  }
  return inverse;
}

void rms_norm(base::Isa isa, int m, int n, const float* x, int64_t ldx, const RmsNorm& norm, float* y,
              int64_t ldy) noexcept {
  kernels(isa).rms_norm(m, n, x, ldx, norm, y, ldy);
}

void rope(base::Isa isa, const RopeTable& table, int position, int heads, int head_dim, bool interleaved,
          float* x) noexcept {
  kernels(isa).rope(table.rotary_dim() / 2, table.cosines(position), table.sines(position), heads, head_dim,
                    interleaved, x);
}

void gated(base::Isa isa, Activation gate, int64_t n, const float* g, const float* u, float* y) noexcept {
  kernels(isa).gated(gate, n, g, u, y);
}

void add(base::Isa isa, int64_t n, const float* x, float* y) noexcept { kernels(isa).add(n, x, y); }

void scale(base::Isa isa, int64_t n, float factor, float* x) noexcept { kernels(isa).scale(n, factor, x); }

void softcap(base::Isa isa, int64_t n, float cap, float* x) noexcept { kernels(isa).softcap(n, cap, x); }

float log_sum_exp(base::Isa isa, int n, const float* x) noexcept { return kernels(isa).log_sum_exp(n, x); }

void log_softmax(base::Isa isa, int n, float* x) noexcept {
  const float shift = log_sum_exp(isa, n, x);
  for (int i = 0; i < n; ++i) {
    x[i] -= shift;
  }
}

int argmax(base::Isa isa, int n, const float* x) noexcept { return kernels(isa).argmax(n, x); }

}  // namespace slipway::kernels
