// How a product is cut into blocks for the pool. Only speed depends on it: an element's value does not.
#pragma once

#include <cstdint>

#include "base/pool.h"
#include "kernels/gemm.h"

namespace slipway::kernels {

struct Split {
  int m = 0;
  int n = 0;
  int row_blocks = 1;
  int column_blocks = 1;
  int panel = 1;  // column blocks end at multiples of it
};

// Blocks of an m x n x k product for panels of `panel` columns and tiles of `rows` rows: one block without a pool or
// below two blocks of work worth a hand-over.
Split split_gemm(int m, int n, int64_t k, int panel, int rows, base::Pool* pool) noexcept;

// Columns or rows of block i of `blocks` over `total` units of `unit`.
inline int cut(int total, int unit, int blocks, int i) noexcept {
  const int64_t units = (static_cast<int64_t>(total) + unit - 1) / unit;
  const int64_t at = units * i / blocks * unit;
  return static_cast<int>(at < total ? at : total);
}

// body(m0, m1, n0, n1) for every block.
template <class Body>
void for_each_block(const Split& s, base::Pool* pool, const Body& body) {
  const auto block = [&](int64_t i) {
    const int r = static_cast<int>(i / s.column_blocks);
    const int c = static_cast<int>(i % s.column_blocks);
    body(cut(s.m, 1, s.row_blocks, r), cut(s.m, 1, s.row_blocks, r + 1), cut(s.n, s.panel, s.column_blocks, c),
         cut(s.n, s.panel, s.column_blocks, c + 1));
  };
  if (pool == nullptr || s.row_blocks * s.column_blocks == 1) {
    for (int64_t i = 0; i < int64_t{s.row_blocks} * s.column_blocks; ++i) {
      block(i);
    }
    return;
  }
  pool->parallel_for(int64_t{s.row_blocks} * s.column_blocks, block);
}

inline Epilogue shifted(Epilogue e, int m0, int n0) noexcept {
  if (e.bias != nullptr) {
    e.bias += n0;
  }
  if (e.residual != nullptr) {
    e.residual += m0 * e.ld_residual + n0;
  }
  return e;
}

}  // namespace slipway::kernels
