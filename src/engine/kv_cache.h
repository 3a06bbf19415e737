// The memory of the KV cache: for every page its keys and its values of all layers, one after the other, so that memory
// is taken as pages are first written, not a huge page for each layer at once. Which page belongs to whom is KvPages'
// matter.
#pragma once

#include <cstddef>
#include <cstring>
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
        layers_(layers),
        memory_(kernels::aligned_array<std::byte>(static_cast<size_t>(bytes(layout, layers, pages)))) {}

  static int64_t bytes(const kernels::KvLayout& layout, int layers, int64_t pages) {
    return 2 * layers * pages * ((layout.page_bytes() + 63) / 64 * 64);
  }

  const kernels::KvLayout& layout() const noexcept { return layout_; }
  std::byte* keys(int layer, int32_t page) noexcept {
    return memory_.get() + 2 * (int64_t{page} * layers_ + layer) * page_bytes_;
  }
  std::byte* values(int layer, int32_t page) noexcept {
    return keys(layer, page) + page_bytes_;
  }
  void copy_page(int32_t from, int32_t to) noexcept {  // of all layers
    std::memcpy(keys(0, to), keys(0, from), static_cast<size_t>(2 * layers_ * page_bytes_));
  }

 private:
  kernels::KvLayout layout_;
  int64_t page_bytes_ = 0;
  int64_t layers_ = 0;
  kernels::AlignedBuffer<std::byte> memory_;
};

}  // namespace slipway::engine
