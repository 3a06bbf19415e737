// The f32 product: micro-kernels of 1..kTileRows rows by one panel of 2 * kLanes columns, and the loops around them.
// Inside a namespace of one translation unit.

constexpr int kPanel = 2 * kLanes;
// Columns are taken in groups whose part of B stays in the second cache while every row passes over it.
constexpr int64_t kGroupBytes = 400 << 10;
// Depth of one pass over k: kTileRows rows of A (28 KiB on AVX-512) stay in the first cache over a whole group.
constexpr int kDepth = 512;

// Steps of k ahead that B is asked for: 32 steps of 16 multiply-adds are about 140 ns, what memory takes. Panels lie
// one after the other, so the end of one asks for the next. Without it an encoder pass over 16 tokens took 1.3 times as
// long.
constexpr int kAhead = 32;
static inline void prefetch_step(const float* panel) {
  for (int i = 0; i < kPanel; i += 16) {
    __builtin_prefetch(panel + kAhead * kPanel + i);
  }
}

// c [kRows, kPanel] (+)= a [kRows, k] panel [k, kPanel] (+ bias [kPanel]).
template <int kRows>
static void micro_f32(int k, const float* a, int64_t lda, const float* panel, const float* bias, bool accumulate,
                      float* c, int64_t ldc) {
  F acc[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    acc[i][0] = set1(0);
    acc[i][1] = set1(0);
  }
  for (int p = 0; p < k; ++p) {
    const F b0 = load(panel);
    const F b1 = load(panel + kLanes);
    prefetch_step(panel);
    panel += kPanel;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const F x = set1(a[i * lda]);
      acc[i][0] = fma(x, b0, acc[i][0]);
      acc[i][1] = fma(x, b1, acc[i][1]);
    }
    ++a;
  }
  F bias0 = set1(0);
  F bias1 = set1(0);
  if (bias != nullptr) {
    bias0 = load(bias);
    bias1 = load(bias + kLanes);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* y = c + i * ldc;
    if (accumulate) {
      acc[i][0] = add(acc[i][0], load(y));
      acc[i][1] = add(acc[i][1], load(y + kLanes));
    }
    if (bias != nullptr) {
      acc[i][0] = add(acc[i][0], bias0);
      acc[i][1] = add(acc[i][1], bias1);
    }
    store(y, acc[i][0]);
    store(y + kLanes, acc[i][1]);
  }
}

using MicroF32 = void (*)(int, const float*, int64_t, const float*, const float*, bool, float*, int64_t);

template <int... kRows>
struct MicroTableF32 {
  static constexpr MicroF32 entries[] = {nullptr, micro_f32<kRows>...};
};
#if SLIPWAY_TILE_ROWS == 8
using TilesF32 = MicroTableF32<1, 2, 3, 4, 5, 6, 7, 8>;
#elif SLIPWAY_TILE_ROWS == 6
using TilesF32 = MicroTableF32<1, 2, 3, 4, 5, 6>;
#else
using TilesF32 = MicroTableF32<1, 2, 3, 4>;
#endif

// One tile by one panel, of which only `columns` exist: the rest goes through a small buffer.
static inline void tile_f32(int rows, int columns, int k, const float* a, int64_t lda, const float* panel,
                            const float* bias, bool accumulate, float* c, int64_t ldc) {
  if (columns == kPanel) {
    TilesF32::entries[rows](k, a, lda, panel, bias, accumulate, c, ldc);
    return;
  }
  alignas(64) float edge[kTileRows * kPanel] = {};
  alignas(64) float edge_bias[kPanel] = {};
  for (int j = 0; bias != nullptr && j < columns; ++j) {
    edge_bias[j] = bias[j];
  }
  for (int i = 0; accumulate && i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      edge[i * kPanel + j] = c[i * ldc + j];
    }
  }
  TilesF32::entries[rows](k, a, lda, panel, bias != nullptr ? edge_bias : nullptr, accumulate, edge, kPanel);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      c[i * ldc + j] = edge[i * kPanel + j];
    }
  }
}

// Rows are cut into tiles of nearly equal height: 16 rows are 8 + 8, not 14 + 2.
static inline int tile_count(int m) { return (m + kTileRows - 1) / kTileRows; }

static void gemm_f32_impl(const GemmBlockF32& g) noexcept {
  const int depth_blocks = (g.k + kDepth - 1) / kDepth;
  const int depth = depth_blocks > 0 ? (g.k + depth_blocks - 1) / depth_blocks : 0;
  const int64_t panel_bytes = static_cast<int64_t>(depth > 0 ? depth : 1) * kPanel * 4;
  const int group = static_cast<int>(kGroupBytes / panel_bytes > 0 ? kGroupBytes / panel_bytes : 1) * kPanel;
  const int tiles = tile_count(g.m);
  for (int n0 = 0; n0 < g.n; n0 += group) {
    const int n1 = n0 + group < g.n ? n0 + group : g.n;
    for (int k0 = 0; k0 < g.k; k0 += depth) {
      const int k1 = k0 + depth < g.k ? k0 + depth : g.k;
      const bool last = k1 == g.k;
      for (int t = 0; t < tiles; ++t) {
        const int m0 = static_cast<int>(static_cast<int64_t>(g.m) * t / tiles);
        const int m1 = static_cast<int>(static_cast<int64_t>(g.m) * (t + 1) / tiles);
        for (int n = n0; n < n1; n += kPanel) {
          const float* panel = g.panels + static_cast<int64_t>(n) * g.k + static_cast<int64_t>(k0) * kPanel;
          const float* bias = last && g.epilogue.bias != nullptr ? g.epilogue.bias + n : nullptr;
          tile_f32(m1 - m0, n1 - n < kPanel ? n1 - n : kPanel, k1 - k0, g.a + m0 * g.lda + k0, g.lda, panel, bias,
                   g.accumulate || k0 > 0, g.c + m0 * g.ldc + n, g.ldc);
        }
        if (last) {
          finish_tile(m1 - m0, n1 - n0, g.epilogue, m0, n0, g.c + m0 * g.ldc + n0, g.ldc);
        }
      }
    }
  }
}

static void transpose_impl(int rows, int columns, const float* a, int64_t lda, float* out, int64_t ldo) noexcept {
  int r = 0;
  for (; r + kLanes <= rows; r += kLanes) {
    int p = 0;
    for (; p + kLanes <= columns; p += kLanes) {
      transpose(a + r * lda + p, lda, out + p * ldo + r, ldo);
    }
    for (; p < columns; ++p) {
      for (int i = 0; i < kLanes; ++i) {
        out[p * ldo + r + i] = a[(r + i) * lda + p];
      }
    }
  }
  for (; r < rows; ++r) {
    for (int p = 0; p < columns; ++p) {
      out[p * ldo + r] = a[r * lda + p];
    }
  }
}

static void pack_transposed_impl(int rows, int k, const float* w, int64_t ldw, float* out) noexcept {
  transpose_impl(rows, k, w, ldw, out, kPanel);
  for (int p = 0; rows < kPanel && p < k; ++p) {
    for (int r = rows; r < kPanel; ++r) {
      out[static_cast<int64_t>(p) * kPanel + r] = 0.0F;
    }
  }
}

static void pack_straight_impl(int columns, int k, const float* w, int64_t ldw, float* out) noexcept {
  for (int p = 0; p < k; ++p, w += ldw, out += kPanel) {
    if (columns == kPanel) {
      store(out, load(w));
      store(out + kLanes, load(w + kLanes));
    } else {
      const int first = columns < kLanes ? columns : kLanes;
      store(out, load_n(w, first));
      store(out + kLanes, columns > kLanes ? load_n(w + kLanes, columns - kLanes) : set1(0));
    }
  }
}
