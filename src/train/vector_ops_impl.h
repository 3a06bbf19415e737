// Included by vector_ops_{baseline,avx2,avx512}.cc, which define SLIPWAY_VECTOR_OPS (the table's name) and are compiled
// with their instruction set and -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math. Nothing here may be an inline
// function of another header: the linker could take this file's AVX code for everybody.
#pragma once

#include "train/vector_ops.h"

namespace slipway::train {
namespace {

double sum_squares(const float* x, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  return sum;
}

void adamw(float* __restrict w, float* __restrict m, float* __restrict v, const float* __restrict g, int64_t n,
           const AdamWScalars& s) {
  const float rest1 = 1.0F - s.beta1;
  const float rest2 = 1.0F - s.beta2;
  if (g == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      m[i] *= s.beta1;
      v[i] *= s.beta2;
      w[i] = w[i] * s.keep - s.step_size * m[i] / (__builtin_sqrtf(v[i]) * s.root_scale + s.epsilon);
    }
    return;
  }
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float gi = g[i] * s.scale;
    m[i] = m[i] * s.beta1 + gi * rest1;
    v[i] = v[i] * s.beta2 + gi * gi * rest2;
    w[i] = w[i] * s.keep - s.step_size * m[i] / (__builtin_sqrtf(v[i]) * s.root_scale + s.epsilon);
  }
}

void add(float* __restrict y, const float* __restrict x, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    y[i] += x[i];
  }
}

void scale(float* __restrict y, float a, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    y[i] *= a;
  }
}

void multiply(float* __restrict y, const float* __restrict x, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    y[i] *= x[i];
  }
}

// exp(x) for x <= 0 to 2e-7 relative; below -87 the smallest normal number stands for 0. Cody & Waite reduction, then
// the Taylor polynomial of degree 6 on |r| <= ln(2) / 2 (remainder 1.2e-7).
inline float exp_negative(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float clamped = x < -87.0F ? -87.0F : x;
  const float shifted = clamped * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = clamped - n * 0.693359375F + n * 2.12194440e-4F;
  const float p =
      1.0F + r * (1.0F + r * (0.5F + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720))))));
  const int32_t power = (__builtin_bit_cast(int32_t, shifted) - __builtin_bit_cast(int32_t, kRound) + 127) << 23;
  return p * __builtin_bit_cast(float, power);
}

// The finaliser of MurmurHash3 (Appleby), twice keyed: 0 or 1 / (1 - p) for the element of this number.
inline float keep_factor(uint32_t number, const DropoutKey& key) {
  uint32_t h = number * 0x9E3779B1U + key.key1;
  h ^= h >> 16;
  h *= 0x85EBCA6BU;
  h ^= h >> 13;
  h ^= key.key2;
  h *= 0xC2B2AE35U;
  h ^= h >> 16;
  return h < key.threshold ? 0.0F : key.scale;
}

void dropout(float* y, const float* x, int64_t n, uint32_t first, const DropoutKey& shared_key) {
  const DropoutKey key = shared_key;  // a copy of its own, that no store to y can change
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    y[i] = x[i] * keep_factor(first + static_cast<uint32_t>(i), key);
  }
}

// Phi(u) by Abramowitz & Stegun 7.1.26, whose exponential is the density that the derivative needs.
void bias_gelu(float* __restrict x, const float* __restrict bias, float* __restrict activation, int n) {
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    const float u = x[i] + bias[i];
    const float z = (u < 0 ? -u : u) * 0.70710678F;
    const float t = 1.0F / (1.0F + 0.3275911F * z);
    const float e = exp_negative(-z * z);
    const float tail =
        0.5F * e * t *
        (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
    const float phi = u < 0 ? tail : 1.0F - tail;
    activation[i] = u * phi;
    x[i] = phi + u * e * 0.39894228F;
  }
}

// 0.5 u (1 + tanh(a (u + b u^3))) = u / (1 + exp(-2 a (u + b u^3))).
void bias_gelu_tanh(float* __restrict x, const float* __restrict bias, float* __restrict activation, int n) {
  constexpr float kA = 0.79788456F;
  constexpr float kB = 0.044715F;
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    const float u = x[i] + bias[i];
    const float inner = 2 * kA * (u + kB * u * u * u);
    const float e = exp_negative(inner < 0 ? inner : -inner);
    const float s = (inner < 0 ? e : 1.0F) / (1.0F + e);
    activation[i] = u * s;
    x[i] = s + u * s * (1.0F - s) * 2 * kA * (1.0F + 3 * kB * u * u);
  }
}

void bias_relu(float* __restrict x, const float* __restrict bias, float* __restrict activation, int n) {
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    const float u = x[i] + bias[i];
    activation[i] = u > 0 ? u : 0.0F;
    x[i] = u > 0 ? 1.0F : 0.0F;
  }
}

void bias_activation(GeluKind kind, float* x, const float* bias, float* activation, int n) {
  switch (kind) {
    case GeluKind::kErf: bias_gelu(x, bias, activation, n); break;
    case GeluKind::kTanh: bias_gelu_tanh(x, bias, activation, n); break;
    case GeluKind::kRelu: bias_relu(x, bias, activation, n); break;
  }
}

float norm_forward(const NormRow& row) {
  float* __restrict y = row.y;
  const int n = row.n;
  if (row.bias != nullptr) {
    add(y, row.bias, n);
  }
  if (row.dropout.threshold != 0) {
    dropout(y, y, n, row.first, row.dropout);
  }
  if (row.residual != nullptr) {
    add(y, row.residual, n);
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) {
    sum += y[i];
  }
  const float mean = sum / static_cast<float>(n);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int i = 0; i < n; ++i) {
    squares += (y[i] - mean) * (y[i] - mean);
  }
  const float inverse = 1.0F / __builtin_sqrtf(squares / static_cast<float>(n) + row.epsilon);
  float* __restrict out = row.out;
  const float* __restrict gain = row.gain;
  const float* __restrict shift = row.shift;
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    const float x_hat = (y[i] - mean) * inverse;
    y[i] = x_hat;
    out[i] = x_hat * gain[i] + shift[i];
  }
  return inverse;
}

void norm_backward(const NormBackwardRow& row) {
  const int n = row.n;
  const float* d_out = row.d_out;  // may be row.d_z
  const float* __restrict x_hat = row.x_hat;
  const float* __restrict gain = row.gain;
  float sum = 0;
  float product = 0;
#pragma omp simd reduction(+ : sum, product)
  for (int i = 0; i < n; ++i) {
    const float g = d_out[i] * gain[i];
    sum += g;
    product += g * x_hat[i];
  }
  const float mean = sum / static_cast<float>(n);
  const float slope = product / static_cast<float>(n);
  float* d_z = row.d_z;
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    d_z[i] = row.inverse_deviation * (d_out[i] * gain[i] - mean - x_hat[i] * slope);
  }
  if (row.d_y != nullptr) {
    if (row.dropout.threshold != 0) {
      dropout(row.d_y, d_z, n, row.first, row.dropout);
    } else {
      __builtin_memcpy(row.d_y, d_z, static_cast<uint64_t>(n) * sizeof(float));
    }
  }
}

void column_sums(const float* x, const float* y, int64_t rows, int64_t ld, int n, float* __restrict sum,
                 float* __restrict product) {
  __builtin_memset(sum, 0, static_cast<uint64_t>(n) * sizeof(float));
  if (y == nullptr) {
    for (int64_t r = 0; r < rows; ++r) {
      add(sum, x + r * ld, n);
    }
    return;
  }
  __builtin_memset(product, 0, static_cast<uint64_t>(n) * sizeof(float));
  for (int64_t r = 0; r < rows; ++r) {
    const float* __restrict a = x + r * ld;
    const float* __restrict b = y + r * ld;
#pragma omp simd
    for (int i = 0; i < n; ++i) {
      sum[i] += a[i];
      product[i] += a[i] * b[i];
    }
  }
}

void softmax(float* __restrict x, int n, float factor) {
  float top = x[0];
#pragma omp simd reduction(max : top)
  for (int i = 0; i < n; ++i) {
    top = x[i] > top ? x[i] : top;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) {
    const float e = exp_negative((x[i] - top) * factor);
    x[i] = e;
    sum += e;
  }
  scale(x, 1.0F / sum, n);
}

void softmax_backward(const float* __restrict p, float* __restrict dp, int n, float factor) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int i = 0; i < n; ++i) {
    dot += p[i] * dp[i];
  }
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    dp[i] = p[i] * (dp[i] - dot) * factor;
  }
}

// Sixteen lanes: one AVX-512 register, two of AVX2, four of SSE.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));

void small_product(int m, int n, int k, const float* a, int64_t row_stride, int64_t column_stride, const float* b,
                   int64_t ldb, float* c, int64_t ldc) {
  for (int j = 0; j < n; j += 16) {
    int i = 0;
    for (; i + 4 <= m; i += 4) {
      const float* a0 = a + i * row_stride;
      Lanes s0 = {};
      Lanes s1 = {};
      Lanes s2 = {};
      Lanes s3 = {};
      for (int l = 0; l < k; ++l) {
        const Lanes v = *reinterpret_cast<const Lanes*>(b + l * ldb + j);
        const float* al = a0 + l * column_stride;
        s0 += al[0] * v;
        s1 += al[row_stride] * v;
        s2 += al[2 * row_stride] * v;
        s3 += al[3 * row_stride] * v;
      }
      *reinterpret_cast<Lanes*>(c + i * ldc + j) = s0;
      *reinterpret_cast<Lanes*>(c + (i + 1) * ldc + j) = s1;
      *reinterpret_cast<Lanes*>(c + (i + 2) * ldc + j) = s2;
      *reinterpret_cast<Lanes*>(c + (i + 3) * ldc + j) = s3;
    }
    for (; i < m; ++i) {
      Lanes s = {};
      for (int l = 0; l < k; ++l) {
        s += a[i * row_stride + l * column_stride] * *reinterpret_cast<const Lanes*>(b + l * ldb + j);
      }
      *reinterpret_cast<Lanes*>(c + i * ldc + j) = s;
    }
  }
}

}  // namespace

const VectorOps SLIPWAY_VECTOR_OPS = {
    SLIPWAY_VECTOR_NAME, sum_squares,  adamw,         add,         scale,   multiply,         dropout,
    bias_activation,     norm_forward, norm_backward, column_sums, softmax, softmax_backward, small_product};

}  // namespace slipway::train
