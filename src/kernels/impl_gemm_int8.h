// The int8 product with exact 32-bit sums. With VNNI four k of a column lie together and vpdpbusd multiplies u8 by s8;
// without, two k lie together, weights are widened to 16 bits as they are loaded, activations once a tile, and vpmaddwd
// adds pairs exactly. Inside a namespace of one translation unit.

constexpr int kPanel8 = 2 * kLanes;
constexpr int kGroup = kInt8Group;
// Part of W that stays in the second cache while every row passes over it.
constexpr int64_t kGroupBytes8 = 400 << 10;
// Groups of k ahead that W is asked for: see kAhead in impl_gemm_f32.h.
constexpr int kAhead8 = 32;
// Activations widened at a time, per row of a tile.
constexpr int kWidened = 2048;

// Vectors of one group of k for the panel's two halves.
struct Int8Columns {
  I half[2];
};

static inline Int8Columns load_columns(const int8_t* p);
static inline I dot_accumulate(I acc, int32_t a, I b);

#if SLIPWAY_INT8 == 4  // AVX-512 VNNI
using A8 = uint8_t;
static inline Int8Columns load_columns(const int8_t* p) {
  return {{_mm512_loadu_si512(p), _mm512_loadu_si512(p + 64)}};
}
static inline I dot_accumulate(I acc, int32_t a, I b) { return _mm512_dpbusd_epi32(acc, _mm512_set1_epi32(a), b); }
#elif SLIPWAY_INT8 == 3  // AVX-512 BW
using A8 = int16_t;
static inline Int8Columns load_columns(const int8_t* p) {
  const auto* v = reinterpret_cast<const __m256i*>(p);
  return {{_mm512_cvtepi8_epi16(_mm256_loadu_si256(v)), _mm512_cvtepi8_epi16(_mm256_loadu_si256(v + 1))}};
}
static inline I dot_accumulate(I acc, int32_t a, I b) {
  return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_set1_epi32(a), b));
}
#elif SLIPWAY_INT8 == 2  // AVX2
using A8 = int16_t;
static inline Int8Columns load_columns(const int8_t* p) {
  const auto* v = reinterpret_cast<const __m128i*>(p);
  return {{_mm256_cvtepi8_epi16(_mm_loadu_si128(v)), _mm256_cvtepi8_epi16(_mm_loadu_si128(v + 1))}};
}
static inline I dot_accumulate(I acc, int32_t a, I b) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_set1_epi32(a), b));
}
#else                    // portable; kGroup is 2
using A8 = int16_t;
static inline Int8Columns load_columns(const int8_t* p) {
  Int8Columns b;
  for (int h = 0; h < 2; ++h) {
    for (int j = 0; j < kLanes; ++j) {
      const int8_t* w = p + (h * kLanes + j) * 2;
      b.half[h][j] = static_cast<int32_t>((static_cast<uint32_t>(static_cast<int32_t>(w[1])) << 16) |
                                          (static_cast<uint32_t>(static_cast<int32_t>(w[0])) & 0xFFFFU));
    }
  }
  return b;
}
static inline I dot_accumulate(I acc, int32_t a, I b) {
  const int32_t a0 = static_cast<int16_t>(a & 0xFFFF);
  const int32_t a1 = a >> 16;
  for (int j = 0; j < kLanes; ++j) {
    acc[j] += a0 * static_cast<int16_t>(b[j] & 0xFFFF) + a1 * (b[j] >> 16);
  }
  return acc;
}
#endif

constexpr int kPairBytes = 4;  // one broadcast of activations: four u8 or two s16

// acc [kRows, kPanel8] += a [kRows, groups of k] panel.
template <int kRows>
static inline void micro_int8(int groups, const A8* a, int64_t stride, const int8_t* panel, I (&acc)[kRows][2]) {
  constexpr int kPerGroup = kPairBytes / static_cast<int>(sizeof(A8));
  for (int p = 0; p < groups; ++p) {
    const Int8Columns b = load_columns(panel);
    for (int i = 0; i < kPanel8 * kGroup; i += 64) {
      __builtin_prefetch(panel + kAhead8 * kPanel8 * kGroup + i);
    }
    panel += kPanel8 * kGroup;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      int32_t x;
      __builtin_memcpy(&x, a + i * stride, sizeof x);
      acc[i][0] = dot_accumulate(acc[i][0], x, b.half[0]);
      acc[i][1] = dot_accumulate(acc[i][1], x, b.half[1]);
    }
    a += kPerGroup;
  }
}

// What a tile reads: activations as the instruction set multiplies them.
struct Tile8 {
  const uint8_t* a;  // first row, as quantised
  int64_t stride;
  A8* widened;           // kTileRows x kWidened, when A8 is not u8
  int64_t widened_from;  // first k in `widened`, -1 when nothing is there yet
};

template <class T>
static inline const T* widen(Tile8& tile, int rows, int k0, int k1, int64_t* stride) {
  if constexpr (sizeof(T) == 1) {
    *stride = tile.stride;
    return tile.a + k0;
  } else {
    if (tile.widened_from != k0) {
      for (int i = 0; i < rows; ++i) {
        for (int p = k0; p < k1; ++p) {
          tile.widened[i * kWidened + (p - k0)] = tile.a[i * tile.stride + p];
        }
      }
      tile.widened_from = k0;
    }
    *stride = kWidened;
    return tile.widened;
  }
}

template <int kRows>
static void tile_int8(const GemmBlockInt8& g, Tile8& tile, int m0, int n, const float* bias, float* c, int64_t ldc) {
  I acc[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    acc[i][0] = set1_int(0);
    acc[i][1] = set1_int(0);
  }
  const int k_padded = (g.k + kGroup - 1) / kGroup * kGroup;
  const int8_t* panel = g.panels + static_cast<int64_t>(n) * k_padded;
  const int step = sizeof(A8) == 1 ? k_padded : kWidened;
  for (int k0 = 0; k0 < k_padded; k0 += step) {
    const int k1 = k0 + step < k_padded ? k0 + step : k_padded;
    int64_t stride = 0;
    const A8* a = widen<A8>(tile, kRows, k0, k1, &stride);
    micro_int8<kRows>((k1 - k0) / kGroup, a, stride, panel + static_cast<int64_t>(k0) * kPanel8, acc);
  }
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const I sums = load_int(g.sums + n + h * kLanes);
    const F scales = load(g.scales + n + h * kLanes);
    const F add_bias = bias != nullptr ? load(bias + h * kLanes) : set1(0);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const I exact = sub_int(acc[i][h], mul_int(set1_int(g.row_zero[m0 + i]), sums));
      const F scaled = mul(to_float(exact), mul(set1(g.row_scale[m0 + i]), scales));
      store(c + i * ldc + h * kLanes, add(scaled, add_bias));
    }
  }
}

using TileInt8 = void (*)(const GemmBlockInt8&, Tile8&, int, int, const float*, float*, int64_t);

template <int... kRows>
struct TileTableInt8 {
  static constexpr TileInt8 entries[] = {nullptr, tile_int8<kRows>...};
};
#if SLIPWAY_TILE_ROWS == 8
using TilesInt8 = TileTableInt8<1, 2, 3, 4, 5, 6, 7, 8>;
#elif SLIPWAY_TILE_ROWS == 6
using TilesInt8 = TileTableInt8<1, 2, 3, 4, 5, 6>;
#else
using TilesInt8 = TileTableInt8<1, 2, 3, 4>;
#endif

static void edge_int8(const GemmBlockInt8& g, Tile8& tile, int rows, int m0, int n, int columns, const float* bias,
                      float* c) {
  alignas(64) float edge[kTileRows * kPanel8];
  alignas(64) float edge_bias[kPanel8] = {};
  for (int j = 0; bias != nullptr && j < columns; ++j) {
    edge_bias[j] = bias[j];
  }
  TilesInt8::entries[rows](g, tile, m0, n, edge_bias, edge, kPanel8);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      c[i * g.ldc + j] = edge[i * kPanel8 + j];
    }
  }
}

static void gemm_int8_impl(const GemmBlockInt8& g) noexcept {
  alignas(64) A8 widened[sizeof(A8) == 1 ? 1 : kTileRows * kWidened];
  const int64_t panel_bytes = static_cast<int64_t>(g.k) * kPanel8;
  const int group = static_cast<int>(kGroupBytes8 / panel_bytes > 0 ? kGroupBytes8 / panel_bytes : 1) * kPanel8;
  const int tiles = (g.m + kTileRows - 1) / kTileRows;
  for (int n0 = 0; n0 < g.n; n0 += group) {
    const int n1 = n0 + group < g.n ? n0 + group : g.n;
    for (int t = 0; t < tiles; ++t) {
      const int m0 = static_cast<int>(static_cast<int64_t>(g.m) * t / tiles);
      const int m1 = static_cast<int>(static_cast<int64_t>(g.m) * (t + 1) / tiles);
      Tile8 tile{g.a + m0 * g.stride, g.stride, widened, -1};
      for (int n = n0; n < n1; n += kPanel8) {
        const float* bias = g.epilogue.bias != nullptr ? g.epilogue.bias + n : nullptr;
        float* c = g.c + m0 * g.ldc + n;
        if (n1 - n < kPanel8) {
          edge_int8(g, tile, m1 - m0, m0, n, n1 - n, bias, c);
        } else {
          TilesInt8::entries[m1 - m0](g, tile, m0, n, bias, c, g.ldc);
        }
      }
      finish_tile(m1 - m0, n1 - n0, g.epilogue, m0, n0, g.c + m0 * g.ldc + n0, g.ldc);
    }
  }
}

// Up to kPanel8 rows of w [rows, k] to a panel [ceil(k / kGroup)][kPanel8][kGroup], zero-padded, and the sum of each
// row.
static void pack_int8_impl(int rows, int k, const int8_t* w, int64_t ldw, int8_t* out, int32_t* sums) noexcept {
  const int whole = k / kGroup;
  for (int j = 0; j < rows; ++j) {
    const int8_t* row = w + j * ldw;
    int32_t sum = 0;
    for (int p = 0; p < k; ++p) {
      sum += row[p];
    }
    sums[j] = sum;
  }
  constexpr int kStrip = 64 / kGroup;  // groups of one cache line of w
  for (int g0 = 0; g0 < whole; g0 += kStrip) {
    const int g1 = g0 + kStrip < whole ? g0 + kStrip : whole;
    for (int j = 0; j < kPanel8; ++j) {
      for (int g = g0; g < g1; ++g) {
        int8_t* to = out + (static_cast<int64_t>(g) * kPanel8 + j) * kGroup;
        if (j < rows) {
          __builtin_memcpy(to, w + j * ldw + g * kGroup, kGroup);
        } else {
          __builtin_memset(to, 0, kGroup);
        }
      }
    }
  }
  if (whole * kGroup < k) {
    for (int j = 0; j < kPanel8; ++j) {
      for (int p = whole * kGroup; p < (whole + 1) * kGroup; ++p) {
        out[(static_cast<int64_t>(whole) * kPanel8 + j) * kGroup + (p - whole * kGroup)] =
            j < rows && p < k ? w[j * ldw + p] : static_cast<int8_t>(0);
      }
    }
  }
}
