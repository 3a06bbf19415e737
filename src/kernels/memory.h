// Memory for kernels: aligned to cache lines, on huge pages where it is large. A product streams its weights once; on 4
// KiB pages every 32nd row of a panel waits for a page's translation and for a prefetcher that stopped at the page's
// end (measured on Zen 4: 12 % of a pass over 16 tokens, 1 to 5 % of longer ones).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace slipway::kernels {

struct AlignedFree {
  void operator()(void* memory) const noexcept;
};
template <class T>
using AlignedBuffer = std::unique_ptr<T[], AlignedFree>;

// At least `bytes`, aligned to 64, uninitialised; from 1 MiB aligned to 2 MiB with huge pages asked for.
// Throws std::bad_alloc.
void* aligned_bytes(size_t bytes);
template <class T>
AlignedBuffer<T> aligned_array(size_t count) {
  return AlignedBuffer<T>(static_cast<T*>(aligned_bytes(count * sizeof(T))));
}

// Pieces of few large blocks, for the weights of one model: freed together, when the last user goes. One thread.
class Arena {
 public:
  // Blocks of `block_bytes` (addresses only: memory is taken a huge page at a time as it is written), larger for a
  // larger piece.
  explicit Arena(size_t block_bytes = size_t{32} << 20) : block_bytes_(block_bytes) {}
  // Aligned to 64, uninitialised; valid as long as the arena. Throws std::bad_alloc.
  void* take(size_t bytes);

 private:
  size_t block_bytes_;
  std::vector<AlignedBuffer<std::byte>> blocks_;
  size_t left_ = 0;
  std::byte* next_ = nullptr;
};

// `arena`, or one whose blocks are no larger than what is taken.
inline std::shared_ptr<Arena> own_or(std::shared_ptr<Arena> arena) {
  return arena != nullptr ? std::move(arena) : std::make_shared<Arena>(0);
}

}  // namespace slipway::kernels
