#include "kernels/gemm.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/split.h"
#include "kernels/table.h"

namespace slipway::kernels {
namespace {

// Multiply-adds worth handing to another thread: about 10 microseconds at 50 per nanosecond.
constexpr int64_t kBlockWork = 500'000;

}  // namespace

PackedF32::PackedF32(base::Isa isa, int n, int k, std::shared_ptr<Arena> arena)
    : isa_(isa), n_(n), k_(k), panel_(kernels(isa).panel), arena_(own_or(std::move(arena))) {
  SLIPWAY_CHECK(n >= 1 && k >= 1);
  data_ = static_cast<float*>(arena_->take(static_cast<size_t>(bytes())));
}

int64_t PackedF32::bytes() const noexcept {
  const int64_t columns = (static_cast<int64_t>(n_) + panel_ - 1) / std::max(1, panel_) * panel_;
  return columns * k_ * static_cast<int64_t>(sizeof(float));
}

void PackedF32::pack(int first, int rows, const float* w, int64_t ldw) noexcept {
  SLIPWAY_CHECK(first % panel_ == 0 && first + rows <= n_);
  const Kernels& table = kernels(isa_);
  for (int r = 0; r < rows; r += panel_) {
    table.pack_transposed(std::min(panel_, rows - r), k_, w + r * ldw, ldw,
                          data_ + static_cast<int64_t>(first + r) * k_);
  }
}

Split split_gemm(int m, int n, int64_t k, int panel, int rows, base::Pool* pool) noexcept {
  Split s{m, n, 1, 1, panel};
  const int64_t work = static_cast<int64_t>(m) * n * k;
  if (pool == nullptr || pool->size() == 1 || work < 2 * kBlockWork) {
    return s;
  }
  // About four blocks a thread, so that a slow core takes fewer; rows first, in whole tiles, because each column block
  // reads the same rows again while each row block reads the same weights.
  const int64_t wanted = std::clamp<int64_t>(work / kBlockWork, 1, int64_t{4} * pool->size());
  const int tiles = (m + rows - 1) / rows;
  const int panels = (n + panel - 1) / panel;
  s.row_blocks = static_cast<int>(std::clamp<int64_t>(tiles / 4, 1, wanted));
  s.column_blocks = static_cast<int>(std::clamp<int64_t>((wanted + s.row_blocks - 1) / s.row_blocks, 1, panels));
  return s;
}

void gemm_f32(int m, const float* a, int64_t lda, const PackedF32& w, const Epilogue& epilogue, float* c, int64_t ldc,
              base::Pool* pool) {
  const Kernels& table = kernels(w.isa());
  const Split split = split_gemm(m, w.n(), w.k(), w.panel_columns(), table.rows, pool);
  for_each_block(split, pool, [&](int m0, int m1, int n0, int n1) {
    GemmBlockF32 block;
    block.m = m1 - m0;
    block.n = n1 - n0;
    block.k = w.k();
    block.a = a + m0 * lda;
    block.lda = lda;
    block.panels = w.panel(n0 / w.panel_columns());
    block.c = c + m0 * ldc + n0;
    block.ldc = ldc;
    block.epilogue = shifted(epilogue, m0, n0);
    table.gemm_f32(block);
  });
}

}  // namespace slipway::kernels
