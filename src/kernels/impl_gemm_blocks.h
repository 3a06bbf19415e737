// Products against panels of block weights: micro-kernels of a few rows by one panel, and the loops around them. Inside
// a namespace of one translation unit.
//
// A quantised panel is, per block of 32 k: words of four bytes [8 or 4][kPanel], d f16 [kPanel], for kQ4_1 m f16
// [kPanel]; a word is four consecutive k of a column (8 bits), or k and k + 16 in the two nibbles. Other panels are
// [k][kPanel] elements. See PackedBlocks::pack.

constexpr int kBlockPanel = 2 * kLanes;
// Sums of a micro-kernel for quantised weights, in vectors: each has a float and an integer register.
#if SLIPWAY_INT8 >= 3
constexpr int kBlockSums = 12;
constexpr int kBlockRows = 6;
#else
constexpr int kBlockSums = 4;
constexpr int kBlockRows = 4;
#endif
// Part of W that stays in the second cache while every row passes over it.
constexpr int64_t kBlockGroupBytes = 400 << 10;

// Layout of one block of a panel.
template <BlockType kType>
struct PanelBlock {
  static constexpr int kWords = kType == BlockType::kQ8_0 ? 8 : 4;
  static constexpr int64_t kVector = sizeof(I);  // bytes of one word of kLanes columns
  static constexpr int64_t kScales = kWords * 2 * kVector;
  static constexpr int64_t kMinima = kScales + 2 * kBlockPanel;
  static constexpr int64_t kBytes = kMinima + (kType == BlockType::kQ4_1 ? 2 * kBlockPanel : 0);
};

static inline I broadcast_bytes(const int8_t* p) {
  int32_t x;
  __builtin_memcpy(&x, p, sizeof x);
  return set1_int(x);
}

// No software prefetch: by the bench decode on Zen 4 the hardware's alone reads 3 to 30 % faster.
// y [kRows, kVectors * kLanes] = the columns of `panel` from vector `first` on. x [kRows, blocks], row stride ldx.
template <BlockType kType, int kRows, int kVectors>
__attribute__((noinline)) static void micro_block(int blocks, const BlockX* x, int64_t ldx, const std::byte* panel,
                                                  int first, float* y) {
  using Layout = PanelBlock<kType>;
  constexpr bool kEight = kType == BlockType::kQ8_0;
  F sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = set1(0);
    }
  }
  panel += first * Layout::kVector;
  for (int b = 0; b < blocks; ++b, panel += Layout::kBytes, ++x) {
    I dot[kRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        dot[i][v] = kEight                      ? start8(x[i * ldx].init8)
                    : kType == BlockType::kQ4_0 ? start4(x[i * ldx].init4)
                                                : start4(0);
      }
    }
#pragma GCC unroll 8
    for (int w = 0; w < Layout::kWords; ++w) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const I bytes = load_bytes(panel + (2 * w + v) * Layout::kVector);
        if constexpr (kEight) {
          const W8 weights = prepare8(bytes);
#pragma GCC unroll 16
          for (int i = 0; i < kRows; ++i) {
            dot[i][v] = dot8(dot[i][v], weights, broadcast_bytes(x[i * ldx].q + 4 * w));
          }
        } else {
          const I low = low_nibbles(bytes);
          const I high = high_nibbles(bytes);
#pragma GCC unroll 16
          for (int i = 0; i < kRows; ++i) {
            dot[i][v] = dot4(dot[i][v], low, broadcast_bytes(x[i * ldx].q + 4 * w));
            dot[i][v] = dot4(dot[i][v], high, broadcast_bytes(x[i * ldx].q + 16 + 4 * w));
          }
        }
      }
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      // `panel` already points at vector `first`, whose scales begin 2 * kLanes bytes a vector further.
      const std::byte* scales = panel - first * Layout::kVector + 2 * kLanes * (first + v);
      const F d = load_f16(scales + Layout::kScales);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const BlockX& block = x[i * ldx];
        const I exact = kEight ? dot[i][v] : finish4(dot[i][v], kType == BlockType::kQ4_0 ? block.init4 : 0);
        sum[i][v] = fma(to_float(exact), mul(d, set1(block.d)), sum[i][v]);
        if constexpr (kType == BlockType::kQ4_1) {
          sum[i][v] = fma(load_f16(scales + Layout::kMinima), set1(block.dsum), sum[i][v]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      store(y + i * kBlockPanel + (first + v) * kLanes, sum[i][v]);
    }
  }
}

template <BlockType kType, int kRows>
static inline void tile_block(int blocks, const BlockX* x, int64_t ldx, const std::byte* panel, float* y) {
  if constexpr (2 * kRows <= kBlockSums) {
    micro_block<kType, kRows, 2>(blocks, x, ldx, panel, 0, y);
  } else if constexpr (kRows <= kBlockRows) {
    micro_block<kType, kRows, 1>(blocks, x, ldx, panel, 0, y);
    micro_block<kType, kRows, 1>(blocks, x, ldx, panel, 1, y);
  }
}

template <BlockType kType>
static void tile_of(int rows, int blocks, const BlockX* x, int64_t ldx, const std::byte* panel, float* y) {
  switch (rows) {
    case 1: tile_block<kType, 1>(blocks, x, ldx, panel, y); break;
    case 2: tile_block<kType, 2>(blocks, x, ldx, panel, y); break;
    case 3: tile_block<kType, 3>(blocks, x, ldx, panel, y); break;
    case 4: tile_block<kType, 4>(blocks, x, ldx, panel, y); break;
    case 5: tile_block<kType, 5>(blocks, x, ldx, panel, y); break;
    default: tile_block<kType, 6>(blocks, x, ldx, panel, y); break;
  }
}

// A tile's sums [rows, kBlockPanel] to y: + bias, activation, + residual (which may be y).
static inline void merge_tile(const GemmProduct& p, int rows, int m0, int column, float* sums) {
  const int columns = p.n - column < kBlockPanel ? p.n - column : kBlockPanel;
  const Epilogue& e = p.epilogue;
  for (int i = 0; i < rows; ++i) {
    float* from = sums + i * kBlockPanel;
    if (e.bias != nullptr) {
      add_impl(columns, e.bias + column, from);
    }
    if (e.activation != Activation::kNone) {
      activate_impl(e.activation, columns, from);
    }
    float* to = p.y + static_cast<int64_t>(m0 + i) * p.ldy + column;
    const float* residual =
        e.residual != nullptr ? e.residual + static_cast<int64_t>(m0 + i) * e.ld_residual + column : nullptr;
    for_lanes(columns, [&](int64_t j, int count) {
      F v = load(from + j);
      if (residual != nullptr) {
        v = add(v, load_n(residual + j, count));
      }
      store_n(to + j, v, count);
    });
  }
}

// products[0].y = gate(products[0].y) * products[1].y on rows [m0, m1), columns [n0, n1).
static inline void gate_tile(const GemmPanels& g, int m0, int m1, int n0, int n1) {
  if (g.gate == Activation::kNone) {
    return;
  }
  n1 = n1 < g.products[0].n ? n1 : g.products[0].n;
  for (int i = m0; i < m1; ++i) {
    float* y = g.products[0].y + i * g.products[0].ldy + n0;
    gated_impl(g.gate, n1 - n0, y, g.products[1].y + i * g.products[1].ldy + n0, y);
  }
}

static void panels_quantized(const GemmPanels& g) {
  alignas(64) float sums[kBlockRows * kBlockPanel];
  const int blocks = g.k / kBlockValues;
  const int64_t ldx = blocks;
  int64_t panel_bytes = 0;
  for (int c = 0; c < g.count; ++c) {
    panel_bytes += g.products[c].panel_bytes;
  }
  const int step = static_cast<int>(kBlockGroupBytes / panel_bytes > 0 ? kBlockGroupBytes / panel_bytes : 1);
  const int m = g.m1 - g.m0;
  const int tiles = (m + kBlockRows - 1) / kBlockRows;
  for (int p0 = g.panel0; p0 < g.panel1; p0 += step) {
    const int p1 = p0 + step < g.panel1 ? p0 + step : g.panel1;
    for (int t = 0; t < tiles; ++t) {
      const int m0 = g.m0 + static_cast<int>(static_cast<int64_t>(m) * t / tiles);
      const int m1 = g.m0 + static_cast<int>(static_cast<int64_t>(m) * (t + 1) / tiles);
      const BlockX* x = g.blocks + m0 * ldx;
      for (int c = 0; c < g.count; ++c) {
        const GemmProduct& product = g.products[c];
        for (int p = p0; p < p1; ++p) {
          const std::byte* panel = product.panels + p * product.panel_bytes;
          switch (product.type) {
            case BlockType::kQ8_0: tile_of<BlockType::kQ8_0>(m1 - m0, blocks, x, ldx, panel, sums); break;
            case BlockType::kQ4_0: tile_of<BlockType::kQ4_0>(m1 - m0, blocks, x, ldx, panel, sums); break;
            default: tile_of<BlockType::kQ4_1>(m1 - m0, blocks, x, ldx, panel, sums); break;
          }
          merge_tile(product, m1 - m0, m0, p * kBlockPanel, sums);
        }
      }
      gate_tile(g, m0, m1, p0 * kBlockPanel, p1 * kBlockPanel);
    }
  }
}

// Rows of float weights that are widened once for many rows of x.
constexpr int kFloatDepth = 256;  // of k at a time: kBlockPanel x 256 floats are 16 to 32 KiB
constexpr int kFloatRows = 128;   // of x at a time

// sums [m1 - m0, kBlockPanel] = x panel, by tiles; 16-bit weights are widened first when more than two tiles use them.
template <class Load>
static void panel_float(const GemmPanels& g, int m0, int m1, const std::byte* panel, float* wide, float* sums) {
  constexpr int64_t kStep = kBlockPanel * Load::kBytes;
  const int m = m1 - m0;
  const int tiles = (m + kTileRows - 1) / kTileRows;
  const bool widen = Load::kBytes != 4 && tiles > 2;
  const int depth = widen ? kFloatDepth : g.k;
  for (int k0 = 0; k0 < g.k; k0 += depth) {
    const int count = g.k - k0 < depth ? g.k - k0 : depth;
    const std::byte* from = panel + k0 * kStep;
    for (int p = 0; widen && p < count; ++p) {
      store(wide + p * kBlockPanel, Load::at(from + p * kStep));
      store(wide + p * kBlockPanel + kLanes, Load::at(from + p * kStep + kLanes * Load::kBytes));
    }
    for (int t = 0; t < tiles; ++t) {
      const int i0 = static_cast<int>(static_cast<int64_t>(m) * t / tiles);
      const int i1 = static_cast<int>(static_cast<int64_t>(m) * (t + 1) / tiles);
      const float* a = g.x + (m0 + i0) * g.ldx + k0;
      float* c = sums + static_cast<int64_t>(i0) * kBlockPanel;
      if (widen) {
        tile_strided<LoadF32, 2>(i1 - i0, count, a, g.ldx, reinterpret_cast<const std::byte*>(wide), 4 * kBlockPanel,
                                 k0 > 0, c, kBlockPanel);
      } else {
        tile_strided<Load, 2>(i1 - i0, count, a, g.ldx, from, kStep, k0 > 0, c, kBlockPanel);
      }
    }
  }
}

static void panels_float(const GemmPanels& g) {
  alignas(64) float wide[kFloatDepth * kBlockPanel];
  alignas(64) float sums[kFloatRows * kBlockPanel];
  for (int m0 = g.m0; m0 < g.m1; m0 += kFloatRows) {
    const int m1 = m0 + kFloatRows < g.m1 ? m0 + kFloatRows : g.m1;
    for (int p = g.panel0; p < g.panel1; ++p) {
      for (int c = 0; c < g.count; ++c) {
        const GemmProduct& product = g.products[c];
        const std::byte* panel = product.panels + p * product.panel_bytes;
        switch (product.type) {
          case BlockType::kF16: panel_float<LoadF16>(g, m0, m1, panel, wide, sums); break;
          case BlockType::kBf16: panel_float<LoadBf16>(g, m0, m1, panel, wide, sums); break;
          default: panel_float<LoadF32>(g, m0, m1, panel, wide, sums); break;
        }
        merge_tile(product, m1 - m0, m0, p * kBlockPanel, sums);
      }
      gate_tile(g, m0, m1, p * kBlockPanel, (p + 1) * kBlockPanel);
    }
  }
}

static void gemm_panels_impl(const GemmPanels& g) noexcept {
  if (g.products[0].type >= BlockType::kQ8_0) {
    panels_quantized(g);
  } else {
    panels_float(g);
  }
}
