// Matrix products of 8-bit activations and 8-bit weights with exact 32-bit sums. Activations are quantised per row when
// they are met (u8, asymmetric), weights once per output channel (s8, symmetric). The sums and the scaling are the same
// to the bit on every instruction set: x86 without VNNI widens to 16 bits (vpmaddwd), because the 8-bit vpmaddubsw
// saturates at 2 x 255 x 127 > 32767. Any thread; matrices are borrowed for the call.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "base/pool.h"
#include "kernels/gemm.h"

namespace slipway::kernels {

// Largest k a product may have: 255 x 127 x 65536 < 2^31.
constexpr int kMaxInt8Depth = 65536;

// W [n, k] s8 and its scale per output, packed as [ceil(n / panel)][ceil(k / 4)][panel][4].
class PackedInt8 {
 public:
  PackedInt8() = default;
  // n >= 1, 1 <= k <= kMaxInt8Depth; its memory from `arena`, which it keeps, or its own. Fill with pack() before use.
  PackedInt8(base::Isa isa, int n, int k, std::shared_ptr<Arena> arena = nullptr);
  // Packs rows [first, first + rows) from w [rows, k] (values -127..127) with their scales [rows]: the weight is
  // scale * w. Different rows may be packed from different threads. `first` is a multiple of panel_columns(), and so is
  // `rows` unless they end at n.
  void pack(int first, int rows, const int8_t* w, int64_t ldw, const float* scales) noexcept;

  base::Isa isa() const noexcept { return isa_; }
  int n() const noexcept { return n_; }
  int k() const noexcept { return k_; }
  int panel_columns() const noexcept { return panel_; }
  int64_t bytes() const noexcept;
  const int8_t* panel(int i) const noexcept;
  const float* scales() const noexcept { return scales_; }  // [n padded to panels]
  const int32_t* sums() const noexcept { return sums_; }    // sum of each row of W, the same padding

 private:
  base::Isa isa_ = base::Isa::kScalar;
  int n_ = 0;
  int k_ = 0;
  int k_padded_ = 0;
  int panel_ = 0;
  int8_t* data_ = nullptr;
  float* scales_ = nullptr;
  int32_t* sums_ = nullptr;
  std::shared_ptr<Arena> arena_;
};

// Bytes between rows of quantised activations of depth k: k rounded up to 64.
constexpr int64_t int8_stride(int k) { return (static_cast<int64_t>(k) + 63) / 64 * 64; }

// Quantised rows: value = scale * (q - zero).
struct QuantizedRows {
  uint8_t* q = nullptr;     // [m, stride]; bytes past k are zero
  int64_t stride = 0;       // int8_stride(k)
  float* scale = nullptr;   // [m]
  int32_t* zero = nullptr;  // [m], 0..255
};

// Per row: scale = (max(x, 0) - min(x, 0)) / 255, zero = round(-min / scale), q = round(x / scale) + zero, to nearest
// even. A row of zeros gets scale 0. Error per value <= scale (rounding of value and zero point). x must be finite.
void quantize_rows(base::Isa isa, int m, int k, const float* x, int64_t ldx, const QuantizedRows& out) noexcept;

// C [m, n] = epilogue(A W^T), A as quantised. `pool` may be null.
void gemm_int8(int m, const QuantizedRows& a, const PackedInt8& w, const Epilogue& epilogue, float* c, int64_t ldc,
               base::Pool* pool);

}  // namespace slipway::kernels
