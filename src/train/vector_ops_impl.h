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

}  // namespace

const VectorOps SLIPWAY_VECTOR_OPS = {SLIPWAY_VECTOR_NAME, sum_squares, adamw, add, scale};

}  // namespace slipway::train
