// What passes over packed rows share: work over rows on the pool, norms, products of mixed element types. Borrows the
// pool and keeps the products' scratch; one pass at a time.
#pragma once

#include <functional>
#include <span>

#include "base/cpu.h"
#include "base/pool.h"
#include "engine/packed_decoder.h"
#include "kernels/gemm_blocks.h"

namespace slipway::engine {

kernels::Activation activation_of(model::DecoderActivation activation);

class RowOps {
 public:
  RowOps(base::Isa isa, base::Pool& pool) : isa_(isa), pool_(pool) {}

  // body(first, last) over rows [0, m), in parallel when they are many.
  template <class Body>
  void over_rows(int m, const Body& body) {
    // Below this a hand-over to the pool costs more than the row-wise work itself (norms: about 1 us a row).
    constexpr int kParallelRows = 16;
    if (m < kParallelRows || pool_.size() == 1) {
      body(0, m);
      return;
    }
    const int grain = std::max(4, m / (4 * pool_.size()));
    pool_.parallel_chunks(m, grain,
                          [&](int64_t first, int64_t last) { body(static_cast<int>(first), static_cast<int>(last)); });
  }

  // y = norm(x) for m rows of n; y may be x.
  void normalise(model::NormKind kind, float eps, const PackedNorm& norm, int m, int n, const float* x, float* y);
  // Products over the same x [m, k]; `gate`: list[0].y = gate(list[0].y) * list[1].y.
  void products(int m, const float* x, int64_t ldx, std::span<const kernels::BlockProduct> list,
                kernels::Activation gate = kernels::Activation::kNone);
  // What an MLP's last product takes: y [m, n] = activation(x up^T), or activation(x gate^T) * (x up^T) where `gate` is
  // not empty; `scratch` [m, n] is used then. `adapt`, when given, is called before the activation and may change the
  // plain products: y is x gate^T and `scratch` x up^T, or y is x up^T. Without changes the result is the same bits.
  void mlp_inner(int m, const float* x, int64_t ldx, const PackedLinear& gate, const PackedLinear& up,
                 kernels::Activation activation, float* y, float* scratch, const std::function<void()>& adapt = {});

  base::Isa isa() const noexcept { return isa_; }
  base::Pool& pool() const noexcept { return pool_; }

 private:
  // y = gate(y) * u over rows of n, ldu and ldy apart.
  void gate_rows(kernels::Activation gate, int m, int n, const float* u, int64_t ldu, float* y, int64_t ldy);

  base::Isa isa_;
  base::Pool& pool_;
  kernels::Workspace workspace_;
};

}  // namespace slipway::engine
