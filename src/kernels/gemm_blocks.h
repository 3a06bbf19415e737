// Products against the weights of decoders: y [m, n] = x [m, k] W^T for W in any BlockType, packed once for one
// instruction set. One row streams the weights at memory speed (4 and 8 bits are never unpacked in memory); many rows
// run on the same packed weights, tiled. Activations of quantised weights are rounded to 8 bits per block of 32, d =
// largest magnitude / 127, with exact integer sums inside a block and f32 multiply-adds over blocks in rising order of
// k. A row's result depends on that row alone: not on other rows, nor on threads or parts; AVX2, AVX-512 and VNNI give
// the same bits. Matrices are borrowed for the call; y may overlap neither x nor another y.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/cpu.h"
#include "base/pool.h"
#include "kernels/block_formats.h"
#include "kernels/gemm.h"
#include "kernels/memory.h"

namespace slipway::kernels {

// W [n, k] as a file stores it (output rows first, as in a Hugging Face Linear), interleaved in panels of
// panel_columns() outputs. Takes the bytes of the file's rows, padded to whole panels. Movable, immutable once packed.
class PackedBlocks {
 public:
  PackedBlocks() = default;
  // n, k >= 1; memory from `arena`, which it keeps, or its own. Fill with pack() before use. Throws Error(kInvalid)
  // when k is no multiple of 32 and `type` is quantised, std::bad_alloc.
  PackedBlocks(base::Isa isa, BlockType type, int n, int k, std::shared_ptr<Arena> arena = nullptr);
  // A matrix packed before on the same instruction set: its bytes(), read in place while `owner`, which it keeps, holds
  // them. nullopt when they are not as many. (Faster aligned to 64.)
  static std::optional<PackedBlocks> borrow(base::Isa isa, BlockType type, int n, int k, std::span<const char> bytes,
                                            std::shared_ptr<const void> owner);
  // The same matrix in memory from `arena`: a map of a file has small pages, which cost 12 to 20 % of a pass of one
  // row.
  PackedBlocks copy(std::shared_ptr<Arena> arena) const;
  // Packs rows [first, first + rows) from `w`, whose rows lie row_bytes apart (0: block_row_bytes(type, k)). `first` is
  // a multiple of panel_columns(), and so is `rows` unless they end at n. Different rows may be packed from different
  // threads.
  void pack(int first, int rows, const void* w, int64_t row_bytes = 0);
  // The same on all threads of `pool` (may be null).
  void pack_all(const void* w, int64_t row_bytes, base::Pool* pool);
  // out [k] = row i dequantised, read from the packed form: the embedding of token i where input and output embeddings
  // are one matrix.
  void row(int i, float* out) const noexcept;

  bool empty() const noexcept { return data_ == nullptr; }
  base::Isa isa() const noexcept { return isa_; }
  BlockType type() const noexcept { return type_; }
  int n() const noexcept { return n_; }
  int k() const noexcept { return k_; }
  int panel_columns() const noexcept { return panel_; }
  int64_t bytes() const noexcept;  // held, which is what a product of one row reads
  const std::byte* panel(int i) const noexcept { return data_ + i * panel_bytes_; }

 private:
  struct Shape {
    base::Isa isa;
    BlockType type;
    int n;
    int k;
  };
  explicit PackedBlocks(const Shape& shape);  // without memory

  base::Isa isa_ = base::Isa::kScalar;
  BlockType type_ = BlockType::kF32;
  int n_ = 0;
  int k_ = 0;
  int panel_ = 1;
  int64_t panel_bytes_ = 0;
  const std::byte* data_ = nullptr;
  std::byte* writable_ = nullptr;  // the same, unless borrowed
  std::shared_ptr<const void> owner_;
};

// Scratch that grows to the largest call and is used again. One user at a time.
class Workspace {
 public:
  // At least `bytes`, aligned to 64; what an earlier call returned is gone. Throws std::bad_alloc.
  std::byte* reserve(size_t bytes);

 private:
  AlignedBuffer<std::byte> memory_;
  size_t capacity_ = 0;
};

// One product of a group: y = epilogue(x W^T).
struct BlockProduct {
  const PackedBlocks* w = nullptr;
  float* y = nullptr;  // [m, n]
  int64_t ldy = 0;
  Epilogue epilogue;  // its residual may be y itself: y += x W^T
};

// Products over the same x, so that its rounding and the hand-over to threads are paid once: {q, k, v}, {gate, up}.
struct BlockGroup {
  int m = 0;
  const float* x = nullptr;  // [m, k]
  int64_t ldx = 0;
  std::span<const BlockProduct> products;  // 1 to kMaxProducts; all of the same k and instruction set
  // Other than kNone: exactly two products of the same n, and products[0].y = gate(products[0].y) * products[1].y at
  // the end (SwiGLU with kSilu, GeGLU with kGelu or kGeluTanh); products[1].y holds the plain product.
  Activation gate = Activation::kNone;
};
constexpr int kMaxProducts = 8;

// `pool` may be null. Small groups stay on the caller. Throws Error(kInvalid) for products that do not go together.
void gemm_blocks(const BlockGroup& group, Workspace& workspace, base::Pool* pool);

// The same in two steps, for callers inside a parallel region of their own: prepare() once (by one thread), then run()
// for every part in [0, parts) from any threads; whoever reads y waits for all of them.
class BlockGemm {
 public:
  BlockGemm(const BlockGroup& group, Workspace& workspace);
  void prepare(base::Pool* pool);
  void run(int part, int parts) const noexcept;
  // Parts worth handing out to `threads` threads.
  int parts(int threads) const noexcept;

 private:
  BlockGroup group_;
  int k_ = 0;
  int panels_ = 0;  // of all products, or of one of a gated pair
  int64_t bytes_ = 0;
  int64_t work_ = 0;
  bool quantized_ = false;
  std::byte* rows_ = nullptr;
};

}  // namespace slipway::kernels
