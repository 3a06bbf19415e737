// What every kernel computes, in double and in the plainest form: the tests hold each instruction set to it. Not for
// speed. Any thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/gemm_int8.h"

namespace slipway::kernels::reference {

inline double activation(Activation a, double x) {
  switch (a) {
    case Activation::kNone: return x;
    case Activation::kGelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu: return std::max(x, 0.0);
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSilu: return x / (1 + std::exp(-x));
  }
  return x;
}

// op(A) op(B) + beta C, the sum of absolute products beside it (for error bounds).
struct Product {
  std::vector<double> value;
  std::vector<double> magnitude;
};
inline Product sgemm(const Sgemm& g) {
  Product p;
  p.value.resize(static_cast<size_t>(g.m) * static_cast<size_t>(g.n));
  p.magnitude.resize(p.value.size());
  for (int i = 0; i < g.m; ++i) {
    for (int j = 0; j < g.n; ++j) {
      double sum = g.beta == 0 ? 0.0 : double{g.beta} * g.c[i * g.ldc + j];
      double magnitude = std::abs(sum);
      for (int k = 0; k < g.k; ++k) {
        const double a = g.trans_a ? g.a[k * g.lda + i] : g.a[i * g.lda + k];
        const double b = g.trans_b ? g.b[j * g.ldb + k] : g.b[k * g.ldb + j];
        sum += a * b;
        magnitude += std::abs(a * b);
      }
      p.value[static_cast<size_t>(i) * static_cast<size_t>(g.n) + static_cast<size_t>(j)] = sum;
      p.magnitude[static_cast<size_t>(i) * static_cast<size_t>(g.n) + static_cast<size_t>(j)] = magnitude;
    }
  }
  return p;
}

// Exactly what quantize_rows promises, one row.
struct QuantizedRow {
  std::vector<uint8_t> q;
  float scale = 0;
  int32_t zero = 0;
};
inline QuantizedRow quantize(const float* x, int k) {
  float low = 0;
  float high = 0;
  for (int i = 0; i < k; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  QuantizedRow row;
  row.q.assign(static_cast<size_t>(k), 0);
  const float range = high - low;
  if (!(range > 1e-30F)) {
    return row;
  }
  const float inverse = 255.0F / range;
  row.scale = range / 255.0F;
  row.zero = static_cast<int32_t>(std::nearbyintf(inverse * -low));
  for (int i = 0; i < k; ++i) {
    const int q = static_cast<int>(std::nearbyintf(x[i] * inverse)) + row.zero;
    row.q[static_cast<size_t>(i)] = static_cast<uint8_t>(std::clamp(q, 0, 255));
  }
  return row;
}

// One element of a quantised product, with its float steps in the promised order.
inline float int8_element(const QuantizedRow& a, const int8_t* w, float w_scale, const float* bias) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.q.size(); ++i) {
    sum += (int64_t{a.q[i]} - a.zero) * w[i];
  }
  const float scaled = static_cast<float>(static_cast<int32_t>(sum)) * (a.scale * w_scale);
  return bias != nullptr ? scaled + *bias : scaled;
}

inline std::vector<double> layer_norm(const float* x, int n, const float* gain, const float* bias, double eps) {
  double mean = 0;
  for (int i = 0; i < n; ++i) {
    mean += x[i];
  }
  mean /= n;
  double variance = 0;
  for (int i = 0; i < n; ++i) {
    variance += (x[i] - mean) * (x[i] - mean);
  }
  variance /= n;
  std::vector<double> y;
  for (int i = 0; i < n; ++i) {
    y.push_back((x[i] - mean) / std::sqrt(variance + eps) * gain[i] + bias[i]);
  }
  return y;
}

inline std::vector<double> softmax(const float* x, int n, double scale) {
  const double high = *std::max_element(x, x + n);
  double sum = 0;
  std::vector<double> y;
  for (int i = 0; i < n; ++i) {
    y.push_back(std::exp(scale * (x[i] - high)));
    sum += y.back();
  }
  for (double& v : y) {
    v /= sum;
  }
  return y;
}

// One head of one text: q, k, v [length, dim] with row stride ld; the result [length, dim].
inline std::vector<double> attention(const float* q, const float* k, const float* v, int64_t ld, int length, int dim,
                                     const float* bias = nullptr, int64_t ld_bias = 0, double scale = 0) {
  std::vector<double> out(static_cast<size_t>(length) * static_cast<size_t>(dim));
  for (int i = 0; i < length; ++i) {
    std::vector<float> scores;
    for (int j = 0; j < length; ++j) {
      double dot = 0;
      for (int d = 0; d < dim; ++d) {
        dot += double{q[i * ld + d]} * k[j * ld + d];
      }
      scores.push_back(static_cast<float>(dot + (bias == nullptr ? 0.0 : double{bias[i * ld_bias + j]})));
    }
    const std::vector<double> p = softmax(scores.data(), length, scale > 0 ? scale : 1 / std::sqrt(double(dim)));
    for (int d = 0; d < dim; ++d) {
      double sum = 0;
      for (int j = 0; j < length; ++j) {
        sum += p[static_cast<size_t>(j)] * v[j * ld + d];
      }
      out[static_cast<size_t>(i) * static_cast<size_t>(dim) + static_cast<size_t>(d)] = sum;
    }
  }
  return out;
}

}  // namespace slipway::kernels::reference
