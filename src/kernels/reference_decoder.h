// What the kernels of decoders compute, in double and in the plainest form: the tests hold each instruction set to it.
// Not for speed. Any thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/attention_cached.h"
#include "kernels/block_formats.h"
#include "kernels/decoder_ops.h"
#include "kernels/reference.h"

namespace slipway::kernels::reference {

// x [k] as a product with quantised weights sees it: rounded to 8 bits per block of 32.
inline std::vector<double> rounded_blocks(const float* x, int k) {
  std::vector<double> out;
  for (int b = 0; b < k; b += kBlockValues) {
    float largest = 0;
    for (int i = 0; i < kBlockValues; ++i) {
      largest = std::max(largest, std::abs(x[b + i]));
    }
    const bool flat = !(largest > 1e-30F);
    const float factor = flat ? 0.0F : 127.0F / largest;
    for (int i = 0; i < kBlockValues; ++i) {
      out.push_back(flat ? 0.0 : double{largest / 127.0F} * std::nearbyintf(x[b + i] * factor));
    }
  }
  return out;
}

// One element of x W^T from a row of the file, and the sum of absolute products (for error bounds).
struct Element {
  double value = 0;
  double magnitude = 0;
};
inline Element block_element(BlockType type, int k, const float* x, const void* row) {
  std::vector<float> w(static_cast<size_t>(k));
  dequantize_row(type, k, row, w.data());
  const std::vector<double> rounded = is_quantized(type) ? rounded_blocks(x, k) : std::vector<double>(x, x + k);
  Element e;
  for (size_t i = 0; i < w.size(); ++i) {
    e.value += rounded[i] * double{w[i]};
    e.magnitude += std::abs(rounded[i] * double{w[i]});
  }
  return e;
}

inline std::vector<double> rms_norm(const float* x, int n, const RmsNorm& norm) {
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    squares += double{x[i]} * x[i];
  }
  std::vector<double> y;
  for (int i = 0; i < n; ++i) {
    const double weight = norm.weight != nullptr ? double{norm.weight[i]} + norm.offset : 1.0;
    y.push_back(x[i] / std::sqrt(squares / n + norm.eps) * weight);
  }
  return y;
}

// x [dim] as an 8-bit cache holds it.
inline std::vector<float> rounded_vector(const float* x, int dim) {
  float largest = 0;
  for (int i = 0; i < dim; ++i) {
    largest = std::max(largest, std::abs(x[i]));
  }
  const float scale = f16_to_f32(f32_to_f16(std::min(largest / 127.0F, 65504.0F)));
  const float factor = scale > 0 ? 1.0F / scale : 0.0F;
  std::vector<float> out;
  for (int i = 0; i < dim; ++i) {
    out.push_back(scale * std::nearbyintf(std::clamp(x[i] * factor, -127.0F, 127.0F)));
  }
  return out;
}

// One head of one row: `keys` and `values` [tokens, dim] of the positions the row sees, oldest first; `bias` [tokens]
// or null.
inline std::vector<double> attend(const float* q, const std::vector<std::vector<float>>& keys,
                                  const std::vector<std::vector<float>>& values, int dim, double scale, double softcap,
                                  const float* bias = nullptr) {
  std::vector<double> scores;
  for (const std::vector<float>& key : keys) {
    double dot = 0;
    for (int d = 0; d < dim; ++d) {
      dot += double{q[d]} * key[static_cast<size_t>(d)];
    }
    dot *= scale;
    scores.push_back(softcap > 0 ? softcap * std::tanh(dot / softcap) : dot);
    if (bias != nullptr) {
      scores.back() += double{bias[scores.size() - 1]};
    }
  }
  const double high = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  std::vector<double> out(static_cast<size_t>(dim));
  for (size_t t = 0; t < scores.size(); ++t) {
    const double p = std::exp(scores[t] - high);
    sum += p;
    for (size_t d = 0; d < out.size(); ++d) {
      out[d] += p * values[t][d];
    }
  }
  for (double& v : out) {
    v /= sum;
  }
  return out;
}

}  // namespace slipway::kernels::reference
