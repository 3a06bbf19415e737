#include "engine/row_ops.h"

#include <algorithm>

#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"

namespace slipway::engine {

using kernels::Activation;

Activation activation_of(model::DecoderActivation activation) {
  switch (activation) {
    case model::DecoderActivation::kSilu: return Activation::kSilu;
    case model::DecoderActivation::kGelu: return Activation::kGelu;
    case model::DecoderActivation::kGeluTanh: return Activation::kGeluTanh;
    case model::DecoderActivation::kRelu: return Activation::kRelu;
  }
  return Activation::kNone;
}

void RowOps::normalise(model::NormKind kind, float eps, const PackedNorm& norm, int m, int n, const float* x,
                       float* y) {
  over_rows(m, [&](int first, int last) {
    const int64_t at = int64_t{first} * n;
    if (kind == model::NormKind::kRms) {
      kernels::rms_norm(isa_, last - first, n, x + at, n, {.weight = norm.weight.data(), .eps = eps}, y + at, n);
    } else {
      kernels::layer_norm(isa_, last - first, n, x + at, n,
                          {.gain = norm.weight.data(), .bias = norm.bias.data(), .eps = eps}, y + at, n);
    }
  });
}

void RowOps::products(int m, const float* x, int64_t ldx, std::span<const kernels::BlockProduct> list,
                      Activation gate) {
  const bool together = std::all_of(list.begin(), list.end(), [&](const kernels::BlockProduct& p) {
    return kernels::is_quantized(p.w->type()) == kernels::is_quantized(list.front().w->type());
  });
  if (together) {
    kernels::gemm_blocks({.m = m, .x = x, .ldx = ldx, .products = list, .gate = gate}, workspace_, &pool_);
    return;
  }
  for (const kernels::BlockProduct& product : list) {
    kernels::gemm_blocks({.m = m, .x = x, .ldx = ldx, .products = {&product, 1}}, workspace_, &pool_);
  }
  if (gate != Activation::kNone) {
    gate_rows(gate, m, list[0].w->n(), list[1].y, list[1].ldy, list[0].y, list[0].ldy);
  }
}

void RowOps::gate_rows(Activation gate, int m, int n, const float* u, int64_t ldu, float* y, int64_t ldy) {
  over_rows(m, [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      kernels::gated(isa_, gate, n, y + r * ldy, u + r * ldu, y + r * ldy);
    }
  });
}

void RowOps::mlp_inner(int m, const float* x, int64_t ldx, const PackedLinear& gate, const PackedLinear& up,
                       Activation activation, float* y, float* scratch, const std::function<void()>& adapt) {
  const int64_t n = up.w.n();
  if (!gate.w.empty()) {
    const kernels::BlockProduct list[] = {
        {.w = &gate.w, .y = y, .ldy = n, .epilogue = {.bias = gate.bias_or_null()}},
        {.w = &up.w, .y = scratch, .ldy = n, .epilogue = {.bias = up.bias_or_null()}}};
    if (!adapt) {
      products(m, x, ldx, list, activation);
      return;
    }
    products(m, x, ldx, list);
    adapt();
    gate_rows(activation, m, static_cast<int>(n), scratch, n, y, n);
    return;
  }
  const kernels::BlockProduct product{
      .w = &up.w,
      .y = y,
      .ldy = n,
      .epilogue = {.bias = up.bias_or_null(), .activation = adapt ? Activation::kNone : activation}};
  products(m, x, ldx, {&product, 1});
  if (adapt) {
    adapt();
    over_rows(m, [&](int first, int last) { kernels::activate(isa_, activation, (last - first) * n, y + first * n); });
  }
}

}  // namespace slipway::engine
