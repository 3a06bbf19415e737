// The two inner loops of MMD, compiled for several instruction sets and chosen once at run time. Internal to stats.
#pragma once

#include <cstddef>

namespace slipway::stats {

inline constexpr size_t kTile = 64;        // rows of a tile; a 64 x 64 tile of f32 is 16 KB and stays in the L1 cache
inline constexpr size_t kColumnStep = 32;  // columns are padded to a multiple of this

struct MmdKernels {
  // c [kTile, columns] = a [kTile, depth] * b [depth, columns]; row strides lda, ldb, ldc in floats; columns %
  // kColumnStep == 0.
  void (*multiply)(const float* a, size_t lda, const float* b, size_t ldb, size_t depth, float* c, size_t ldc,
                   size_t columns);
  // In place on a tile of dot products: exp(scale * max(0, x_norm[i] + y_norm[j] - 2 dot)); scale < 0.
  void (*rbf)(float* tile, const float* x_norm, const float* y_norm, float scale);
  // In place: amplitude * cos(2 pi value).
  void (*cosine)(float* values, size_t count, float amplitude);
};

const MmdKernels& mmd_kernels() noexcept;

}  // namespace slipway::stats
