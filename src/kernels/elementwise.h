// Row-wise and element-wise pieces of a transformer: layer norm, activations, softmax, embedding sums, pooling. All
// work on f32, row-major, on the caller's thread; results depend on the row alone. Any thread.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/gemm.h"

namespace slipway::kernels {

// y = (x - mean) / sqrt(var + eps) * gain + bias for each of m rows of n; variance biased (divided by n), two passes.
// y may be x. Ba, Kiros & Hinton 2016, eq. 4.
struct LayerNorm {
  const float* gain = nullptr;  // [n]
  const float* bias = nullptr;  // [n]
  float eps = 1e-12F;
};
void layer_norm(base::Isa isa, int m, int n, const float* x, int64_t ldx, const LayerNorm& norm, float* y,
                int64_t ldy) noexcept;

// x = activation(x), in place, n contiguous values. kGelu by a polynomial for erf: absolute error <= 5e-7 * max(1,
// |x|).
void activate(base::Isa isa, Activation activation, int64_t n, float* x) noexcept;

// x = softmax(scale * x) over n >= 1 values, in place; stable.
void softmax(base::Isa isa, int n, float scale, float* x) noexcept;

// y [n] = word[n] + position[n] + type[n] (any of the last two may be null).
void add_rows(base::Isa isa, int n, const float* word, const float* position, const float* type, float* y) noexcept;

// The same with the word's row as scale * word.
void add_rows_int8(base::Isa isa, int n, const int8_t* word, float scale, const float* position, const float* type,
                   float* y) noexcept;

// The mean of m >= 1 rows of n, then divided by its Euclidean length when that is above 1e-12.
void mean_pool_normalized(base::Isa isa, int m, int n, const float* x, int64_t ldx, float* y) noexcept;

}  // namespace slipway::kernels
