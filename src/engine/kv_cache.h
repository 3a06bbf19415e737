// The memory of the KV cache: for every layer, pages of keys and pages of values. Which page belongs to whom is
// KvPages' matter. Memory is taken as pages are first written.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/attention_cached.h"
#include "kernels/memory.h"

namespace slipway::engine {

class KvCache {
 public:
  KvCache() = default;
  KvCache(const kernels::KvLayout& layout, int layers, int pages)
      : layout_(layout),
        page_bytes_((layout.page_bytes() + 63) / 64 * 64),
        pages_(pages),
        memory_(kernels::aligned_array<std::byte>(static_cast<size_t>(bytes(layout, layers, pages)))) {}

  static int64_t bytes(const kernels::KvLayout& layout, int layers, int64_t pages) {
    return 2 * layers * pages * ((layout.page_bytes() + 63) / 64 * 64);
  }

  const kernels::KvLayout& layout() const noexcept { return layout_; }
  std::byte* keys(int layer, int32_t page) noexcept {
    return memory_.get() + (2 * int64_t{layer} * pages_ + page) * page_bytes_;
  }
  std::byte* values(int layer, int32_t page) noexcept {
    return memory_.get() + ((2 * int64_t{layer} + 1) * pages_ + page) * page_bytes_;
  }

 private:
  kernels::KvLayout layout_;
  int64_t page_bytes_ = 0;
  int64_t pages_ = 0;
  kernels::AlignedBuffer<std::byte> memory_;
};

}  // namespace slipway::engine
