// The loops of training over plain arrays of floats that are worth an instruction set of their own: one implementation
// (vector_ops_impl.h), compiled for baseline x86-64, AVX2 and AVX-512, chosen once at run time. They work on one row or
// one text; the caller spreads rows and texts over threads. No allocation, any thread. Tests compare them with formulas
// in double and with finite differences.
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

// Which elements dropout removes: a function of the key and the element's number alone, so that the backward pass and a
// resumed run see the same choice without anything being stored. threshold 0: nothing is removed.
struct DropoutKey {
  uint32_t key1 = 0;
  uint32_t key2 = 0;
  uint32_t threshold = 0;  // removed when the element's hash is below: probability * 2^32
  float scale = 1;         // 1 / (1 - probability), of those that stay
};

enum class GeluKind { kErf, kTanh, kRelu };

// The rows that a layer norm sees: z = residual + dropout(y + bias), x_hat = (z - mean) / sqrt(variance + epsilon),
// out = x_hat * gain + shift. bias and residual may be null (0).
struct NormRow {
  int n;
  float* y;  // in: the product before its bias; out: x_hat
  const float* bias;
  const float* residual;
  const float* gain;
  const float* shift;
  float epsilon;
  float* out;
  uint32_t first;  // number of the row's first element, for dropout
  DropoutKey dropout;
};

// Its backward pass: d_z, the gradient at residual and sum, and d_y = dropout's share of it, at the product.
struct NormBackwardRow {
  int n;
  const float* d_out;
  const float* x_hat;
  const float* gain;
  float inverse_deviation;  // what norm_forward returned
  float* d_z;
  float* d_y;  // may be null when there is no dropout and nobody wants a copy
  uint32_t first;
  DropoutKey dropout;
};

struct VectorOps {
  const char* name;
  // Sum of x^2 in double.
  double (*sum_squares)(const float* x, int64_t n);
  // One AdamW update of w, m, v [n]; g may be null: a gradient of zero.
  void (*adamw)(float* w, float* m, float* v, const float* g, int64_t n, const AdamWScalars& s);
  // y += x; y *= a; y *= x.
  void (*add)(float* y, const float* x, int64_t n);
  void (*scale)(float* y, float a, int64_t n);
  void (*multiply)(float* y, const float* x, int64_t n);
  // y = dropout(x); x may be y.
  void (*dropout)(float* y, const float* x, int64_t n, uint32_t first, const DropoutKey& key);
  // u = x + bias; activation = f(u); x becomes f'(u). erf to 3e-7.
  void (*bias_activation)(GeluKind kind, float* x, const float* bias, float* activation, int n);
  // Returns 1 / sqrt(variance + epsilon).
  float (*norm_forward)(const NormRow& row);
  void (*norm_backward)(const NormBackwardRow& row);
  // Sums over rows of x [rows, n] (row stride ld): sum = sum x; when y is given (same stride), product = sum x * y too.
  void (*column_sums)(const float* x, const float* y, int64_t rows, int64_t ld, int n, float* sum, float* product);
  // x = softmax(scale * x) over n values.
  void (*softmax)(float* x, int n, float scale);
  // For each of n: ds = p * (dp - sum p dp) * scale, in place of dp.
  void (*softmax_backward)(const float* p, float* dp, int n, float scale);
  // C [m, n] = A B with B [k, n] (row stride ldb), n a multiple of 16 that rows of B and C have room for;
  // A(i, j) = a[i * row_stride + j * column_stride]. For products that fit into the first caches.
  void (*small_product)(int m, int n, int k, const float* a, int64_t row_stride, int64_t column_stride, const float* b,
                        int64_t ldb, float* c, int64_t ldc);
};

// The best this machine allows.
const VectorOps& vector_ops() noexcept;

// Each implementation; only call what the processor has.
extern const VectorOps kVectorOpsBaseline;
extern const VectorOps kVectorOpsAvx2;
extern const VectorOps kVectorOpsAvx512;

}  // namespace slipway::train
