#include "kernels/gemm_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"

namespace slipway::kernels {

PackedBlocks::PackedBlocks(base::Isa isa, BlockType type, int n, int k, std::shared_ptr<Arena> arena)
    : isa_(isa), type_(type), n_(n), k_(k), arena_(own_or(std::move(arena))) {
  SLIPWAY_CHECK(n >= 1 && k >= 1);
  if (is_quantized(type) && k % kBlockValues != 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("a {} matrix has rows of {} values; they must be a multiple of {}",
                                  block_type_name(type), k, kBlockValues));
  }
  panel_bytes_ = block_row_bytes(type, k);
  data_ = static_cast<std::byte*>(arena_->take(static_cast<size_t>(bytes())));
}

int64_t PackedBlocks::bytes() const noexcept { return (static_cast<int64_t>(n_) + panel_ - 1) / panel_ * panel_bytes_; }

void PackedBlocks::pack(int first, int rows, const void* w, int64_t row_bytes) {
  const int64_t stride = row_bytes != 0 ? row_bytes : block_row_bytes(type_, k_);
  for (int r = 0; r < rows; ++r) {
    std::memcpy(data_ + (first + r) * panel_bytes_, static_cast<const std::byte*>(w) + r * stride,
                static_cast<size_t>(panel_bytes_));
  }
}

void PackedBlocks::pack_all(const void* w, int64_t row_bytes, base::Pool*) { pack(0, n_, w, row_bytes); }

void PackedBlocks::row(int i, float* out) const noexcept { dequantize_row(type_, k_, panel(i), out); }

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
  if (group.products.empty() || group.products.size() > kMaxProducts) {
    throw base::Error(base::Code::kInvalid, "a group has 1 to 8 products");
  }
  k_ = group.products.front().w->k();
  rows_ = workspace.reserve(static_cast<size_t>(group.m) * static_cast<size_t>(k_) * sizeof(float));
}

void BlockGemm::prepare(base::Pool*) {
  auto* rounded = reinterpret_cast<float*>(rows_);
  for (int i = 0; i < group_.m; ++i) {
    for (int b = 0; b + kBlockValues <= k_; b += kBlockValues) {
      const float* x = group_.x + i * group_.ldx + b;
      float largest = 0;
      for (int j = 0; j < kBlockValues; ++j) {
        largest = std::max(largest, std::abs(x[j]));
      }
      const float d = largest / 127.0F;
      const float inverse = d > 0 ? 127.0F / largest : 0.0F;
      for (int j = 0; j < kBlockValues; ++j) {
        rounded[static_cast<int64_t>(i) * k_ + b + j] = d * std::nearbyintf(x[j] * inverse);
      }
    }
  }
}

int BlockGemm::parts(int threads) const noexcept { return threads; }

void BlockGemm::run(int part, int parts) const noexcept {
  const auto* rounded = reinterpret_cast<const float*>(rows_);
  std::vector<float> weights(static_cast<size_t>(k_));
  const int widest = group_.products.front().w->n();
  for (const BlockProduct& p : group_.products) {
    const Epilogue& e = p.epilogue;
    for (int j = static_cast<int>(int64_t{p.w->n()} * part / parts); j < int64_t{p.w->n()} * (part + 1) / parts; ++j) {
      p.w->row(j, weights.data());
      for (int i = 0; i < group_.m; ++i) {
        const float* x = is_quantized(p.w->type()) ? rounded + static_cast<int64_t>(i) * k_ : group_.x + i * group_.ldx;
        float sum = 0;
        for (int l = 0; l < k_; ++l) {
          sum += x[l] * weights[static_cast<size_t>(l)];
        }
        sum += e.bias != nullptr ? e.bias[j] : 0.0F;
        activate(base::Isa::kScalar, e.activation, 1, &sum);
        p.y[i * p.ldy + j] = sum + (e.residual != nullptr ? e.residual[i * e.ld_residual + j] : 0.0F);
      }
    }
  }
  if (group_.gate != Activation::kNone) {
    const auto from = int64_t{widest} * part / parts;
    const auto to = int64_t{widest} * (part + 1) / parts;
    for (int i = 0; i < group_.m; ++i) {
      float* g = group_.products[0].y + i * group_.products[0].ldy;
      gated(base::Isa::kScalar, group_.gate, to - from, g + from,
            group_.products[1].y + i * group_.products[1].ldy + from, g + from);
    }
  }
}

void gemm_blocks(const BlockGroup& group, Workspace& workspace, base::Pool* pool) {
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
