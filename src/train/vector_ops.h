// The loops of training over plain arrays of floats that are worth an instruction set of their own: one implementation
// (vector_ops_impl.h), compiled for baseline x86-64, AVX2 and AVX-512, chosen once at run time. No allocation, any
// thread.
#pragma once

#include <cstdint>

namespace slipway::train {

struct AdamWScalars {
  float scale;  // the gradient is multiplied with it first (clipping)
  float keep;   // 1 - learning_rate * weight_decay
  float beta1, beta2;
  float step_size;   // learning_rate / (1 - beta1^t)
  float root_scale;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
};

struct VectorOps {
  const char* name;
  // Sum of x^2 in double.
  double (*sum_squares)(const float* x, int64_t n);
  // One AdamW update of w, m, v [n]; g may be null: a gradient of zero.
  void (*adamw)(float* w, float* m, float* v, const float* g, int64_t n, const AdamWScalars& s);
  // y += x, y *= a.
  void (*add)(float* y, const float* x, int64_t n);
  void (*scale)(float* y, float a, int64_t n);
};

// The best this machine allows.
const VectorOps& vector_ops() noexcept;

// Each implementation; only call what the processor has.
extern const VectorOps kVectorOpsBaseline;
extern const VectorOps kVectorOpsAvx2;
extern const VectorOps kVectorOpsAvx512;

}  // namespace slipway::train
