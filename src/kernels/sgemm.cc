// The general product: per block of k, both sides are packed by the pool, then blocks of C are computed by it.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "kernels/gemm.h"
#include "kernels/split.h"
#include "kernels/table.h"

namespace slipway::kernels {
namespace {

constexpr int kDepth = 512;        // of one pass over k; an element's order of additions depends on it and on k alone
constexpr int kMaxColumns = 4096;  // packed at a time: 8 MiB of B at the full depth
constexpr int kPackRows = 64;      // rows of A one task packs
constexpr size_t kKeepBytes = size_t{16} << 20;  // scratch a thread keeps for its next call

int round_up(int x, int unit) { return (x + unit - 1) / unit * unit; }

// Grows, never shrinks below; one a calling thread, so that training does not fault its pages in again every call.
struct Scratch {
  AlignedBuffer<float> floats;
  size_t capacity = 0;
  float* reserve(size_t count) {
    if (count > capacity) {
      floats.reset();
      floats = aligned_array<float>(count);
      capacity = count;
    }
    return floats.get();
  }
  void trim() {
    if (capacity * sizeof(float) > kKeepBytes) {
      floats.reset();
      capacity = 0;
    }
  }
};

Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

void scale_c(const Sgemm& g, float beta) {
  for (int i = 0; i < g.m; ++i) {
    float* row = g.c + i * g.ldc;
    if (beta == 0) {
      std::memset(row, 0, static_cast<size_t>(g.n) * sizeof(float));
    } else {
      std::transform(row, row + g.n, row, [beta](float x) { return x * beta; });
    }
  }
}

// One pass: columns [n0, n1), depth [k0, k1).
struct Pass {
  const Sgemm& g;
  const Kernels& table;
  base::Pool& pool;
  int n0, n1, k0, k1;
  const float* a;  // [m, depth], packed or in place
  int64_t lda;
  float* packed_a;  // null when in place
  float* packed_b;

  void pack_b(int panel) const {
    const int n = n0 + panel * table.panel;
    const int columns = std::min(table.panel, n1 - n);
    float* out = packed_b + static_cast<int64_t>(panel) * table.panel * (k1 - k0);
    if (g.trans_b) {
      table.pack_transposed(columns, k1 - k0, g.b + n * g.ldb + k0, g.ldb, out);
    } else {
      table.pack_straight(columns, k1 - k0, g.b + k0 * g.ldb + n, g.ldb, out);
    }
  }

  void pack_a(int m0) const {
    const int rows = std::min(kPackRows, g.m - m0);
    if (g.trans_a) {
      table.transpose(k1 - k0, rows, g.a + k0 * g.lda + m0, g.lda, packed_a + m0 * lda, lda);
      return;
    }
    for (int i = m0; i < m0 + rows; ++i) {
      std::memcpy(packed_a + i * lda, g.a + i * g.lda + k0, static_cast<size_t>(k1 - k0) * sizeof(float));
    }
  }

  void pack() const {
    const int panels = (n1 - n0 + table.panel - 1) / table.panel;
    const int row_blocks = packed_a != nullptr ? (g.m + kPackRows - 1) / kPackRows : 0;
    pool.parallel_chunks(panels + row_blocks, 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (i < panels) {
          pack_b(static_cast<int>(i));
        } else {
          pack_a(static_cast<int>(i - panels) * kPackRows);
        }
      }
    });
  }

  void multiply() const {
    const Split split = split_gemm(g.m, n1 - n0, k1 - k0, table.panel, table.rows, &pool);
    for_each_block(split, &pool, [&](int m_begin, int m_end, int n_begin, int n_end) {
      GemmBlockF32 block;
      block.m = m_end - m_begin;
      block.n = n_end - n_begin;
      block.k = k1 - k0;
      block.a = a + m_begin * lda;
      block.lda = lda;
      block.panels = packed_b + static_cast<int64_t>(n_begin) * (k1 - k0);
      block.c = g.c + m_begin * g.ldc + n0 + n_begin;
      block.ldc = g.ldc;
      block.accumulate = k0 > 0 || g.beta != 0;
      table.gemm_f32(block);
    });
  }
};

}  // namespace

void sgemm(const Sgemm& g, base::Pool& pool, base::Isa isa) {
  SLIPWAY_CHECK(g.m >= 0 && g.n >= 0 && g.k >= 0);
  if (g.m == 0 || g.n == 0) {
    return;
  }
  if (g.k == 0 || (g.beta != 0 && g.beta != 1)) {
    scale_c(g, g.beta);
  }
  if (g.k == 0) {
    return;
  }
  const Kernels& table = kernels(isa);
  const int depth_blocks = (g.k + kDepth - 1) / kDepth;
  const int depth = (g.k + depth_blocks - 1) / depth_blocks;
  const int columns = std::min(round_up(g.n, table.panel), kMaxColumns);
  // Rows a multiple of 2 KiB apart fall into two sets of the first cache: copied, as transposed ones are.
  const bool copy_a = g.trans_a || g.lda % 512 == 0;
  const int64_t packed_lda = round_up(depth, 16) + 16;
  const size_t a_floats = copy_a ? static_cast<size_t>(g.m) * static_cast<size_t>(packed_lda) : 0;
  Scratch& scratch = thread_scratch();
  float* buffer = scratch.reserve(a_floats + static_cast<size_t>(columns) * static_cast<size_t>(depth));
  float* packed_b = buffer;
  float* packed_a = copy_a ? buffer + static_cast<int64_t>(columns) * depth : nullptr;
  for (int n0 = 0; n0 < g.n; n0 += columns) {
    for (int k0 = 0; k0 < g.k; k0 += depth) {
      const Pass pass{g,
                      table,
                      pool,
                      n0,
                      std::min(g.n, n0 + columns),
                      k0,
                      std::min(g.k, k0 + depth),
                      copy_a ? packed_a : g.a + k0,
                      copy_a ? packed_lda : g.lda,
                      packed_a,
                      packed_b};
      pass.pack();
      pass.multiply();
    }
  }
  scratch.trim();
}

}  // namespace slipway::kernels
