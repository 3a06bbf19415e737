#include "kernels/memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace slipway::kernels {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = size_t{1} << 20;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void AlignedFree::operator()(void* memory) const noexcept { std::free(memory); }

void* aligned_bytes(size_t bytes) {
  const size_t alignment = bytes >= kLarge ? kHugePage : 64;
  const size_t rounded = round_up(std::max<size_t>(bytes, 1), alignment);
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  if (alignment == kHugePage) {
    ::madvise(memory, rounded, MADV_HUGEPAGE);  // advice: a kernel that refuses costs speed alone
  }
  return memory;
}

void* Arena::take(size_t bytes) {
  const size_t rounded = round_up(std::max<size_t>(bytes, 1), 64);
  if (rounded > left_) {
    const size_t block = std::max(block_bytes_, rounded);
    blocks_.emplace_back(static_cast<std::byte*>(aligned_bytes(block)));
    next_ = blocks_.back().get();
    left_ = block;
  }
  std::byte* const piece = next_;
  next_ += rounded;
  left_ -= rounded;
  return piece;
}

}  // namespace slipway::kernels
