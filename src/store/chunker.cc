#include "store/chunker.h"

#include <algorithm>
#include <array>

#include "base/hash.h"

namespace slipway::store {
namespace {

// A number for each byte, of SplitMix64 (Steele et al. 2014). Written down in docs/formats/store.md: stored data agrees with it.
constexpr uint64_t kGearSeed = 0x736c697077617931;  // "slipway1"

constexpr std::array<uint64_t, 256> make_gear() {
  std::array<uint64_t, 256> gear{};
  uint64_t state = kGearSeed;
  for (uint64_t& number : gear) {
    state += 0x9e3779b97f4a7c15ULL;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    number = z ^ (z >> 31);
  }
  return gear;
}
constexpr std::array<uint64_t, 256> kGear = make_gear();

// The highest bits of the hash depend on the last 64 bytes. Two bits more than the average's 16 before the normal size, two
// fewer behind it.
constexpr uint64_t kHard = ~uint64_t{0} << (64 - 18);
constexpr uint64_t kEasy = ~uint64_t{0} << (64 - 14);

// The end of the chunk when it is in (at, end]; 0: it is not. `hash` goes on.
size_t scan(const unsigned char* bytes, size_t at, size_t end, uint64_t mask, uint64_t& hash) noexcept {
  uint64_t h = hash;
  for (; at < end; ++at) {
    h = (h << 1) + kGear[bytes[at]];
    if ((h & mask) == 0) {
      return at + 1;
    }
  }
  hash = h;
  return 0;
}

}  // namespace

size_t first_cut(std::string_view bytes) noexcept {
  const size_t end = std::min(bytes.size(), kMaxChunk);
  if (end <= kMinChunk) {
    return end;
  }
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const size_t normal = std::min(end, kNormalChunk);
  uint64_t hash = 0;
  if (const size_t found = scan(data, kMinChunk, normal, kHard, hash)) {
    return found;
  }
  if (const size_t found = scan(data, normal, end, kEasy, hash)) {
    return found;
  }
  return end;
}

std::vector<Chunk> cut(std::string_view bytes) {
  std::vector<Chunk> chunks;
  chunks.reserve(bytes.size() / kNormalChunk + 1);
  while (!bytes.empty()) {
    const std::string_view chunk = bytes.substr(0, first_cut(bytes));
    chunks.push_back({base::xxh64(chunk), static_cast<uint32_t>(chunk.size())});
    bytes.remove_prefix(chunk.size());
  }
  return chunks;
}

}  // namespace slipway::store
