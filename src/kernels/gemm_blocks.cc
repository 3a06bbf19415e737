#include "kernels/gemm_blocks.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "kernels/table.h"

namespace slipway::kernels {
namespace {

constexpr uint32_t kOffset = 0x80808080U;  // 128 added to four s8
constexpr int64_t kPrepareWork = 1 << 17;  // activations worth handing to other threads
constexpr int64_t kSharedNs = 4000;        // of a group, from which other threads help: a hand-over costs under 1000
constexpr int64_t kPartNs = 8000;          // of one of several parts for a thread, at least

int words_of(BlockType type) { return type == BlockType::kQ8_0 ? 8 : 4; }
int scales_of(BlockType type) { return type == BlockType::kQ4_1 ? 2 : 1; }
// Bytes of one block of 32 k of a panel, as impl_gemm_blocks.h lays it out.
int64_t panel_block_bytes(BlockType type, int panel) {
  return int64_t{panel} * (4 * words_of(type) + 2 * scales_of(type));
}
int element_bytes(BlockType type) { return type == BlockType::kF32 ? 4 : 2; }

// Column `column` of a panel from one row of the file.
void pack_quantized(BlockType type, int blocks, uint32_t offset, int panel, int column, const std::byte* row,
                    std::byte* out) {
  const int words = words_of(type);
  const int scales = scales_of(type);
  const int64_t block_bytes = panel_block_bytes(type, panel);
  for (int b = 0; b < blocks; ++b, out += block_bytes) {
    std::byte* to = out + int64_t{4} * words * panel + 2 * column;
    for (int s = 0; s < scales; ++s, row += 2) {
      std::memcpy(to + 2 * s * panel, row, 2);
    }
    for (int w = 0; w < words; ++w, row += 4) {
      uint32_t word;
      std::memcpy(&word, row, sizeof word);
      word ^= offset;
      std::memcpy(out + 4 * (w * panel + column), &word, sizeof word);
    }
  }
}

// Square transposes in registers of 16 bytes, which every 64-bit processor has.
template <class Element>
struct Square;
template <>
struct Square<uint32_t> {
  static constexpr int kSize = 4;
  using V = uint32_t __attribute__((vector_size(16)));
  static void transpose(V* r) {
    const V a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    const V b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    const V c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    const V d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    r[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    r[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
  }
};
template <>
struct Square<uint16_t> {
  static constexpr int kSize = 8;
  using V = uint16_t __attribute__((vector_size(16)));
  static void transpose(V* r) {
    V s[8];
    for (int i = 0; i < 8; i += 2) {
      s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 2, 10, 3, 11);
      s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    V t[8];
    for (int i = 0; i < 8; i += 4) {
      t[i] = __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 2, 3, 10, 11);
      t[i + 1] = __builtin_shufflevector(s[i], s[i + 2], 4, 5, 12, 13, 6, 7, 14, 15);
      t[i + 2] = __builtin_shufflevector(s[i + 1], s[i + 3], 0, 1, 8, 9, 2, 3, 10, 11);
      t[i + 3] = __builtin_shufflevector(s[i + 1], s[i + 3], 4, 5, 12, 13, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; ++i) {
      r[2 * i] = __builtin_shufflevector(t[i], t[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
      r[2 * i + 1] = __builtin_shufflevector(t[i], t[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
  }
};

template <class Element>
void pack_elements(int rows, int k, int panel, const std::byte* w, int64_t row_bytes, std::byte* out) {
  constexpr int kSize = Square<Element>::kSize;
  constexpr int64_t kBytes = sizeof(Element);
  const int whole_rows = rows / kSize * kSize;
  const int whole_k = k / kSize * kSize;
  const auto one = [&](int j, int p) {
    std::memcpy(out + (int64_t{p} * panel + j) * kBytes, w + j * row_bytes + p * kBytes, sizeof(Element));
  };
  for (int p = 0; p < whole_k; p += kSize) {
    for (int j = 0; j < whole_rows; j += kSize) {
      typename Square<Element>::V square[kSize];
      for (int i = 0; i < kSize; ++i) {
        std::memcpy(&square[i], w + (j + i) * row_bytes + p * kBytes, sizeof square[i]);
      }
      Square<Element>::transpose(square);
      for (int i = 0; i < kSize; ++i) {
        std::memcpy(out + (int64_t{p + i} * panel + j) * kBytes, &square[i], sizeof square[i]);
      }
    }
  }
  for (int j = 0; j < rows; ++j) {  // what is left over at the ends
    for (int p = j < whole_rows ? whole_k : 0; p < k; ++p) {
      one(j, p);
    }
  }
}

}  // namespace

PackedBlocks::PackedBlocks(const Shape& shape)
    : isa_(shape.isa), type_(shape.type), n_(shape.n), k_(shape.k), panel_(kernels(shape.isa).panel_blocks) {
  SLIPWAY_CHECK(n_ >= 1 && k_ >= 1);
  if (is_quantized(type_) && k_ % kBlockValues != 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("a {} matrix has rows of {} values; they must be a multiple of {}",
                                  block_type_name(type_), k_, kBlockValues));
  }
  panel_bytes_ = is_quantized(type_) ? k_ / kBlockValues * panel_block_bytes(type_, panel_)
                                     : int64_t{k_} * panel_ * element_bytes(type_);
}

PackedBlocks::PackedBlocks(base::Isa isa, BlockType type, int n, int k, std::shared_ptr<Arena> arena)
    : PackedBlocks(Shape{isa, type, n, k}) {
  arena = own_or(std::move(arena));
  writable_ = static_cast<std::byte*>(arena->take(static_cast<size_t>(bytes())));
  data_ = writable_;
  owner_ = std::move(arena);
}

std::optional<PackedBlocks> PackedBlocks::borrow(base::Isa isa, BlockType type, int n, int k,
                                                 std::span<const char> bytes, std::shared_ptr<const void> owner) {
  PackedBlocks out(Shape{isa, type, n, k});
  if (bytes.size() != static_cast<size_t>(out.bytes())) {
    return std::nullopt;
  }
  out.data_ = reinterpret_cast<const std::byte*>(bytes.data());
  out.owner_ = std::move(owner);
  return out;
}

PackedBlocks PackedBlocks::copy(std::shared_ptr<Arena> arena) const {
  PackedBlocks out(isa_, type_, n_, k_, std::move(arena));
  std::memcpy(out.writable_, data_, static_cast<size_t>(bytes()));
  return out;
}

int64_t PackedBlocks::bytes() const noexcept { return (static_cast<int64_t>(n_) + panel_ - 1) / panel_ * panel_bytes_; }

void PackedBlocks::pack(int first, int rows, const void* w, int64_t row_bytes) {
  SLIPWAY_CHECK(writable_ != nullptr && first % panel_ == 0 && first + rows <= n_);
  const int64_t stride = row_bytes != 0 ? row_bytes : block_row_bytes(type_, k_);
  const uint32_t offset = type_ == BlockType::kQ8_0 && kernels(isa_).offset_blocks ? kOffset : 0;
  for (int r = 0; r < rows; r += panel_) {
    const int count = std::min(panel_, rows - r);
    const std::byte* from = static_cast<const std::byte*>(w) + r * stride;
    std::byte* out = writable_ + (first + r) / panel_ * panel_bytes_;
    if (count < panel_) {
      std::memset(out, 0, static_cast<size_t>(panel_bytes_));
    }
    if (type_ == BlockType::kF32) {
      pack_elements<uint32_t>(count, k_, panel_, from, stride, out);
    } else if (!is_quantized(type_)) {
      pack_elements<uint16_t>(count, k_, panel_, from, stride, out);
    } else {
      for (int j = 0; j < count; ++j) {
        pack_quantized(type_, k_ / kBlockValues, offset, panel_, j, from + j * stride, out);
      }
    }
  }
}

void PackedBlocks::pack_all(const void* w, int64_t row_bytes, base::Pool* pool) {
  const int64_t stride = row_bytes != 0 ? row_bytes : block_row_bytes(type_, k_);
  const int rows = 4 * panel_;
  const int64_t pieces = (int64_t{n_} + rows - 1) / rows;
  const auto piece = [&](int64_t i) {
    const int first = static_cast<int>(i) * rows;
    pack(first, std::min(rows, n_ - first), static_cast<const std::byte*>(w) + first * stride, stride);
  };
  if (pool != nullptr) {
    pool->parallel_for(pieces, piece);
    return;
  }
  for (int64_t i = 0; i < pieces; ++i) {
    piece(i);
  }
}

void PackedBlocks::row(int i, float* out) const noexcept {
  const std::byte* from = panel(i / panel_);
  const int column = i % panel_;
  if (!is_quantized(type_)) {
    const int size = element_bytes(type_);
    for (int64_t p = 0; p < k_; ++p) {
      dequantize_row(type_, 1, from + (p * panel_ + column) * size, out + p);
    }
    return;
  }
  const int words = words_of(type_);
  const int scales = scales_of(type_);
  const uint32_t offset = type_ == BlockType::kQ8_0 && kernels(isa_).offset_blocks ? kOffset : 0;
  for (int b = 0; b < k_ / kBlockValues; ++b, out += kBlockValues, from += panel_block_bytes(type_, panel_)) {
    std::byte block[36];  // as files store it
    for (int s = 0; s < scales; ++s) {
      std::memcpy(block + 2 * s, from + 4 * words * panel_ + 2 * (s * panel_ + column), 2);
    }
    for (int w = 0; w < words; ++w) {
      uint32_t word;
      std::memcpy(&word, from + 4 * (w * panel_ + column), sizeof word);
      word ^= offset;
      std::memcpy(block + 2 * scales + 4 * w, &word, sizeof word);
    }
    dequantize_row(type_, kBlockValues, block, out);
  }
}

std::byte* Workspace::reserve(size_t bytes) {
  if (bytes > capacity_) {
    memory_.reset();
    capacity_ = 0;
    memory_ = aligned_array<std::byte>(bytes);
    capacity_ = bytes;
  }
  return memory_.get();
}

BlockGemm::BlockGemm(const BlockGroup& group, Workspace& workspace) : group_(group) {
  const auto fail = [](const char* what) { throw base::Error(base::Code::kInvalid, what); };
  if (group.products.empty() || group.products.size() > kMaxProducts) {
    fail("a group of products has 1 to 8 of them");
  }
  const PackedBlocks& first = *group.products.front().w;
  k_ = first.k();
  for (const BlockProduct& p : group.products) {
    if (p.w->k() != k_ || p.w->isa() != first.isa()) {
      fail("the matrices of a group must be of one depth and one instruction set");
    }
    quantized_ = quantized_ || is_quantized(p.w->type());
    panels_ += (p.w->n() + p.w->panel_columns() - 1) / p.w->panel_columns();
    bytes_ += p.w->bytes();
    work_ += int64_t{2} * group.m * p.w->n() * k_;
  }
  if (group.gate != Activation::kNone) {
    if (group.products.size() != 2 || group.products[0].w->n() != group.products[1].w->n()) {
      fail("a gated group has two matrices of the same height");
    }
    panels_ /= 2;
  }
  if (quantized_) {
    const size_t blocks = static_cast<size_t>(group.m) * static_cast<size_t>(k_ / kBlockValues);
    rows_ = workspace.reserve(blocks * sizeof(BlockX));
  }
}

void BlockGemm::prepare(base::Pool* pool) {
  if (!quantized_) {
    return;
  }
  const Kernels& table = kernels(group_.products.front().w->isa());
  auto* rows = reinterpret_cast<BlockX*>(rows_);
  const auto quantize = [&](int64_t first, int64_t last) {
    table.quantize_blocks(static_cast<int>(last - first), k_, group_.x + first * group_.ldx, group_.ldx,
                          rows + first * (k_ / kBlockValues));
  };
  if (pool == nullptr || int64_t{group_.m} * k_ < kPrepareWork) {
    quantize(0, group_.m);
  } else {
    pool->parallel_chunks(group_.m, 16, quantize);
  }
}

int BlockGemm::parts(int threads) const noexcept {
  if (threads <= 1) {
    return 1;
  }
  const int64_t ns = std::max(bytes_ / 20, work_ / 150);  // one core: 20 GB/s, 150 GOP/s
  if (ns < kSharedNs) {
    return 1;
  }
  // As many for each thread; several where they are long, so that a slow core takes fewer.
  return threads * static_cast<int>(std::clamp<int64_t>(ns / threads / kPartNs, 1, 4));
}

void BlockGemm::run(int part, int parts) const noexcept {
  // Columns first, so that each part streams its own weights once; rows only where there are more parts than panels.
  const int row_blocks = (parts + panels_ - 1) / panels_;
  const int column_blocks = parts / row_blocks;
  const int row = part / column_blocks;
  const int column = part % column_blocks;
  if (row >= row_blocks) {
    return;
  }
  GemmPanels g;
  g.m0 = static_cast<int>(int64_t{group_.m} * row / row_blocks);
  g.m1 = static_cast<int>(int64_t{group_.m} * (row + 1) / row_blocks);
  g.k = k_;
  g.blocks = reinterpret_cast<const BlockX*>(rows_);
  g.x = group_.x;
  g.ldx = group_.ldx;
  const int first = static_cast<int>(int64_t{panels_} * column / column_blocks);
  const int last = static_cast<int>(int64_t{panels_} * (column + 1) / column_blocks);
  const Kernels& table = kernels(group_.products.front().w->isa());
  const auto fill = [](const BlockProduct& p) {
    return GemmProduct{p.w->type(), p.w->n(), p.w->panel(0), p.w->panel(1) - p.w->panel(0), p.y, p.ldy, p.epilogue};
  };
  if (group_.gate != Activation::kNone) {
    g.panel0 = first;
    g.panel1 = last;
    g.products[0] = fill(group_.products[0]);
    g.products[1] = fill(group_.products[1]);
    if (is_quantized(g.products[0].type) == is_quantized(g.products[1].type)) {
      g.count = 2;
      g.gate = group_.gate;
      table.gemm_panels(g);
      return;
    }
    table.gemm_panels(g);
    std::swap(g.products[0], g.products[1]);
    table.gemm_panels(g);
    const int n0 = first * table.panel_blocks;
    const int n1 = std::min(last * table.panel_blocks, g.products[0].n);
    for (int i = g.m0; i < g.m1; ++i) {
      float* y = g.products[1].y + i * g.products[1].ldy + n0;
      table.gated(group_.gate, n1 - n0, y, g.products[0].y + i * g.products[0].ldy + n0, y);
    }
    return;
  }
  int before = 0;  // panels of the products passed
  for (const BlockProduct& p : group_.products) {
    const int panels = (p.w->n() + p.w->panel_columns() - 1) / p.w->panel_columns();
    g.panel0 = std::max(first - before, 0);
    g.panel1 = std::min(last - before, panels);
    before += panels;
    if (g.panel0 < g.panel1) {
      g.products[0] = fill(p);
      table.gemm_panels(g);
    }
  }
}

void gemm_blocks(const BlockGroup& group, Workspace& workspace, base::Pool* pool) {
  if (group.m == 0) {
    return;
  }
  BlockGemm gemm(group, workspace);
  gemm.prepare(pool);
  const int parts = gemm.parts(pool != nullptr ? pool->size() : 1);
  if (parts == 1) {
    gemm.run(0, 1);
  } else {
    pool->parallel_for(parts, [&](int64_t i) { gemm.run(static_cast<int>(i), parts); });
  }
}

}  // namespace slipway::kernels
