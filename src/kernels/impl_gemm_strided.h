// Small products of f32 rows by rows of f32, f16, bf16 or 8-bit integers, which are widened as they are loaded: what
// float weights of gemm_blocks.h and the pages of attention_cached.h share. Inside a namespace of one translation unit.

struct LoadF32 {
  static constexpr int64_t kBytes = 4;
  static inline F at(const std::byte* p) { return load(reinterpret_cast<const float*>(p)); }
};
struct LoadF16 {
  static constexpr int64_t kBytes = 2;
  static inline F at(const std::byte* p) { return load_f16(p); }
};
struct LoadI8 {
  static constexpr int64_t kBytes = 1;
  static inline F at(const std::byte* p) { return load_i8(p); }
};
struct LoadBf16 {
  static constexpr int64_t kBytes = 2;
  static inline F at(const std::byte* p) { return load_bf16(p); }
};

// c [kRows, kVectors * kLanes] (+)= a [kRows, k] b, where row p of b begins p * step bytes after `b`. One chain of
// multiply-adds an element, in rising k; with `resume` it goes on from c.
template <class Load, int kRows, int kVectors>
static void micro_strided(int k, const float* a, int64_t lda, const std::byte* b, int64_t step, bool resume, float* c,
                          int64_t ldc) {
  F sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = resume ? load(c + i * ldc + v * kLanes) : set1(0);
    }
  }
  for (int p = 0; p < k; ++p, b += step, ++a) {
    F w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      w[v] = Load::at(b + v * kLanes * Load::kBytes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const F x = set1(a[i * lda]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sum[i][v] = fma(x, w[v], sum[i][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      store(c + i * ldc + v * kLanes, sum[i][v]);
    }
  }
}

template <class Load, int kVectors>
static void tile_strided(int rows, int k, const float* a, int64_t lda, const std::byte* b, int64_t step, bool resume,
                         float* c, int64_t ldc) {
  switch (rows) {
    case 1: micro_strided<Load, 1, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
    case 2: micro_strided<Load, 2, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
    case 3: micro_strided<Load, 3, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
    case 4: micro_strided<Load, 4, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
#if SLIPWAY_TILE_ROWS >= 6
    case 5: micro_strided<Load, 5, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
    case 6: micro_strided<Load, 6, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
#endif
#if SLIPWAY_TILE_ROWS >= 8
    case 7: micro_strided<Load, 7, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
    case 8: micro_strided<Load, 8, kVectors>(k, a, lda, b, step, resume, c, ldc); break;
#endif
    default: break;
  }
}
