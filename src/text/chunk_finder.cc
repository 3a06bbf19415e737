#include "text/chunk_finder.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"
#include "text/web_chars.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace slipway::text {
namespace {

constexpr size_t kBlock = 64;

enum Kind : uint8_t { kLetter = 1, kSpace = 2, kLead = 4 };
constexpr std::array<uint8_t, 256> kKinds = [] {
  std::array<uint8_t, 256> kinds{};
  for (size_t c = 0; c < 26; ++c) {
    kinds['a' + c] = kinds['A' + c] = kLetter;
  }
  for (const int c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20}) {
    kinds[static_cast<size_t>(c)] = kSpace;
  }
  // U+0085 and U+00A0 begin with C2, U+1680 with E1, U+2000 to U+205F with E2, U+3000 with E3.
  for (const int c : {0xC2, 0xE1, 0xE2, 0xE3}) {
    kinds[static_cast<size_t>(c)] = kLead;
  }
  return kinds;
}();

ChunkFinder::Masks classify_scalar(const char* bytes) noexcept {
  ChunkFinder::Masks masks{0, 0, 0};
  for (size_t i = 0; i < kBlock; ++i) {
    const uint64_t kind = kKinds[static_cast<unsigned char>(bytes[i])];
    masks.letters |= (kind & 1U) << i;
    masks.spaces |= (kind >> 1U & 1U) << i;
    masks.leads |= (kind >> 2U) << i;
  }
  return masks;
}

#if defined(__x86_64__)
// Bytes in [first, first + more].
__attribute__((target("avx2"), always_inline)) inline __m256i in_range(__m256i v, int first, int more) noexcept {
  const __m256i offset = _mm256_sub_epi8(v, _mm256_set1_epi8(static_cast<char>(first)));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(offset, _mm256_set1_epi8(static_cast<char>(more))), offset);
}

__attribute__((target("avx2"))) ChunkFinder::Masks classify_avx2(const char* bytes) noexcept {
  ChunkFinder::Masks masks{0, 0, 0};
  for (size_t half = 0; half < 2; ++half) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32 * half));  // NOLINT: vector load
    const __m256i letters = in_range(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), 'a', 25);
    const __m256i spaces = _mm256_or_si256(in_range(v, 0x09, 4), in_range(v, 0x1C, 4));
    const __m256i leads =
        _mm256_or_si256(in_range(v, 0xE1, 2), _mm256_cmpeq_epi8(v, _mm256_set1_epi8(static_cast<char>(0xC2))));
    masks.letters |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(letters))} << (32 * half);
    masks.spaces |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(spaces))} << (32 * half);
    masks.leads |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(leads))} << (32 * half);
  }
  return masks;
}
#endif

auto classify_function(base::Isa isa) noexcept {
#if defined(__x86_64__)
  if (isa >= base::Isa::kAvx2 && base::cpu_features().avx2) {
    return &classify_avx2;
  }
#endif
  static_cast<void>(isa);
  return &classify_scalar;
}

}  // namespace

ChunkFinder::ChunkFinder(base::Isa isa) : classify_(classify_function(isa)) {}

void ChunkFinder::find(std::string_view text) {
  const size_t blocks = text.size() / kBlock + 1;  // the last one may be empty: the end of the text is white space, too
  if (letters_.size() < blocks + 1) {
    letters_.resize(blocks + 1);
  }
  if (edges_.size() < text.size() + 2) {
    edges_.resize(text.size() + 2);
  }
  const WebChars& chars = WebChars::get();
  std::array<char, kBlock> rest{};
  uint64_t before = 1;   // whether the byte before the block is white space: so is the text's beginning
  uint64_t pending = 0;  // white space that began in the block before
  uint32_t* edge = edges_.data();
  for (size_t block = 0; block < blocks; ++block) {
    const size_t begin = block * kBlock;
    const char* bytes = text.data() + begin;
    const bool last = block + 1 == blocks;
    if (last) {
      std::copy(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), rest.begin());
      bytes = rest.data();
    }
    const Masks masks = classify_(bytes);
    letters_[block] = masks.letters;
    uint64_t spaces = masks.spaces | pending;
    pending = 0;
    for (uint64_t leads = masks.leads; leads != 0; leads &= leads - 1) {
      const auto bit = static_cast<unsigned>(__builtin_ctzll(leads));
      const Decoded d = decode_at(text, begin + bit);
      if ((chars(d.code) & kWebSpace) != 0) {
        const uint64_t run = (uint64_t{1} << d.size) - 1;
        spaces |= run << bit;
        pending |= bit > kBlock - 4 ? run >> (kBlock - bit) : 0;
      }
    }
    if (last) {
      spaces |= ~uint64_t{0} << (text.size() - begin);
    }
    for (uint64_t turns = spaces ^ (spaces << 1U | before); turns != 0; turns &= turns - 1) {
      *edge++ = static_cast<uint32_t>(begin + static_cast<unsigned>(__builtin_ctzll(turns)));
    }
    before = spaces >> 63U;
  }
  letters_[blocks] = 0;
  edge_count_ = static_cast<size_t>(edge - edges_.data());
}

}  // namespace slipway::text
