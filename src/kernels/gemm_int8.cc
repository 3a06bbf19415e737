#include "kernels/gemm_int8.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/split.h"
#include "kernels/table.h"

namespace slipway::kernels {

PackedInt8::PackedInt8(base::Isa isa, int n, int k, std::shared_ptr<Arena> arena)
    : isa_(isa), n_(n), k_(k), arena_(own_or(std::move(arena))) {
  SLIPWAY_CHECK(n >= 1 && k >= 1 && k <= kMaxInt8Depth);
  const Kernels& table = kernels(isa);
  panel_ = table.panel_int8;
  const int64_t columns = (static_cast<int64_t>(n) + panel_ - 1) / panel_ * panel_;
  k_padded_ = (k + table.group_int8 - 1) / table.group_int8 * table.group_int8;
  data_ = static_cast<int8_t*>(arena_->take(static_cast<size_t>(columns * k_padded_)));
  scales_ = static_cast<float*>(arena_->take(static_cast<size_t>(columns) * sizeof(float)));
  sums_ = static_cast<int32_t*>(arena_->take(static_cast<size_t>(columns) * sizeof(int32_t)));
  std::memset(scales_, 0, static_cast<size_t>(columns) * sizeof(float));
  std::memset(sums_, 0, static_cast<size_t>(columns) * sizeof(int32_t));
}

int64_t PackedInt8::bytes() const noexcept {
  const int64_t columns = (static_cast<int64_t>(n_) + panel_ - 1) / std::max(1, panel_) * panel_;
  return columns * (k_padded_ + 8);
}

const int8_t* PackedInt8::panel(int i) const noexcept { return data_ + static_cast<int64_t>(i) * panel_ * k_padded_; }

void PackedInt8::pack(int first, int rows, const int8_t* w, int64_t ldw, const float* scales) noexcept {
  SLIPWAY_CHECK(first % panel_ == 0 && first + rows <= n_);
  const Kernels& table = kernels(isa_);
  for (int r = 0; r < rows; r += panel_) {
    const int count = std::min(panel_, rows - r);
    table.pack_int8(count, k_, w + r * ldw, ldw, data_ + static_cast<int64_t>(first + r) * k_padded_,
                    sums_ + first + r);
    std::copy_n(scales + r, count, scales_ + first + r);
  }
}

void quantize_rows(base::Isa isa, int m, int k, const float* x, int64_t ldx, const QuantizedRows& out) noexcept {
  kernels(isa).quantize_rows(m, k, x, ldx, out);
}

void gemm_int8(int m, const QuantizedRows& a, const PackedInt8& w, const Epilogue& epilogue, float* c, int64_t ldc,
               base::Pool* pool) {
  const Kernels& table = kernels(w.isa());
  // A vpdpbusd does the work of four multiply-adds, so a block of the same duration has four times the operations.
  const Split split = split_gemm(m, w.n(), w.k() / 4, w.panel_columns(), table.rows, pool);
  for_each_block(split, pool, [&](int m0, int m1, int n0, int n1) {
    GemmBlockInt8 block;
    block.m = m1 - m0;
    block.n = n1 - n0;
    block.k = w.k();
    block.a = a.q + m0 * a.stride;
    block.stride = a.stride;
    block.row_scale = a.scale + m0;
    block.row_zero = a.zero + m0;
    block.panels = w.panel(n0 / w.panel_columns());
    block.scales = w.scales() + n0;
    block.sums = w.sums() + n0;
    block.c = c + m0 * ldc + n0;
    block.ldc = ldc;
    block.epilogue = shifted(epilogue, m0, n0);
    table.gemm_int8(block);
  });
}

}  // namespace slipway::kernels
