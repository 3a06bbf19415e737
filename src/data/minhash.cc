#include "data/minhash.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/cpu.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "text/unicode.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace slipway::data {
namespace {

constexpr size_t kLargeFrom = 50;  // words from which shingles have kLargeWords words
constexpr size_t kLargeWords = 5;
constexpr size_t kSmallWords = 2;
constexpr size_t kBothFrom = kLargeFrom * 4 / 5;  // a pair at Jaccard 0.8 differs in size by at most 4 : 5
constexpr size_t kBothTo = kLargeFrom * 5 / 4;
constexpr size_t kLanes = 16;  // hashes are padded to whole AVX-512 vectors

// The finaliser of MurmurHash3: every input bit reaches every output bit.
constexpr uint64_t mix(uint64_t h) noexcept {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

constexpr uint64_t kWordSeed = 0x9e3779b97f4a7c15ULL;
constexpr uint64_t kWordFactor = 0x9fb21c651e98df25ULL;

// For an ASCII byte: its lower case when it is a letter or digit, else 0.
constexpr std::array<uint8_t, 128> ascii_table() {
  std::array<uint8_t, 128> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    table[c] = static_cast<uint8_t>(word ? (upper ? c + 32 : c) : 0);
  }
  return table;
}
constexpr std::array<uint8_t, 128> kAscii = ascii_table();

// The hash of each word of the text, in order, lower-cased. An apostrophe between letters is skipped: "don't" is
// "dont".
void hash_words(std::string_view text, std::vector<uint64_t>& words) {
  uint64_t hash = kWordSeed;
  bool open = false;
  const auto close = [&] {
    if (open) {
      words.push_back(mix(hash));
      hash = kWordSeed;
      open = false;
    }
  };
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ++at;
      if (const uint8_t lower = kAscii[byte]; lower != 0) {
        hash = (hash ^ lower) * kWordFactor;
        open = true;
      } else if (byte != '\'') {
        close();
      }
      continue;
    }
    const text::Decoded d = text::decode_at(text, at);
    at += d.size;
    if (text::is_cjk_ideograph(d.code) || text::is_kana(d.code)) {
      close();
      words.push_back(mix((kWordSeed ^ d.code) * kWordFactor));
    } else if (text::is_letter(d.code) || text::is_number(d.code) || text::is_mark(d.code)) {
      hash = (hash ^ text::to_lower(d.code)) * kWordFactor;
      open = true;
    } else if (d.code != 0x2019) {
      close();
    }
  }
  close();
}

// Hashes of all runs of `n` words; of all words together when there are fewer.
void run_hashes(const std::vector<uint64_t>& words, size_t n, std::vector<uint64_t>& out) {
  n = std::min(n, words.size());
  if (n == 0) {
    return;
  }
  for (size_t i = 0; i + n <= words.size(); ++i) {
    uint64_t hash = n;
    for (size_t j = 0; j < n; ++j) {
      hash = hash * kWordFactor + words[i + j];
    }
    out.push_back(mix(hash));
  }
}

void sort_distinct(std::vector<uint64_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// The multiplier sees the upper half of a shingle's hash.
constexpr uint32_t key_of(uint64_t shingle) noexcept { return static_cast<uint32_t>(shingle >> 32); }

void sign_scalar(std::span<const uint64_t> shingles, const uint32_t* a, const uint32_t* b, uint32_t* least,
                 size_t hashes) {
  for (const uint64_t shingle : shingles) {
    const uint32_t x = key_of(shingle);
    for (size_t i = 0; i < hashes; ++i) {
      least[i] = std::min(least[i], a[i] * x + b[i]);
    }
  }
}

#if defined(__x86_64__)
// Eight vectors of accumulators stay in registers while the shingles pass by.
__attribute__((target("avx2"))) void sign_avx2(std::span<const uint64_t> shingles, const uint32_t* a, const uint32_t* b,
                                               uint32_t* least, size_t hashes) {
  constexpr size_t kVectors = 8;
  for (size_t at = 0; at < hashes; at += 8 * kVectors) {
    const size_t vectors = std::min(kVectors, (hashes - at) / 8);
    __m256i low[kVectors];
    std::fill_n(low, kVectors, _mm256_set1_epi32(-1));
    const auto* pa = reinterpret_cast<const __m256i*>(a + at);  // NOLINT: vector loads
    const auto* pb = reinterpret_cast<const __m256i*>(b + at);  // NOLINT
    if (vectors == kVectors) {
      for (const uint64_t shingle : shingles) {
        const __m256i x = _mm256_set1_epi32(static_cast<int>(key_of(shingle)));
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) {
          const __m256i h =
              _mm256_add_epi32(_mm256_mullo_epi32(x, _mm256_loadu_si256(pa + v)), _mm256_loadu_si256(pb + v));
          low[v] = _mm256_min_epu32(low[v], h);
        }
      }
    } else {
      for (const uint64_t shingle : shingles) {
        const __m256i x = _mm256_set1_epi32(static_cast<int>(key_of(shingle)));
        for (size_t v = 0; v < vectors; ++v) {
          const __m256i h =
              _mm256_add_epi32(_mm256_mullo_epi32(x, _mm256_loadu_si256(pa + v)), _mm256_loadu_si256(pb + v));
          low[v] = _mm256_min_epu32(low[v], h);
        }
      }
    }
    for (size_t v = 0; v < vectors; ++v) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(least + at) + v, low[v]);  // NOLINT
    }
  }
}

__attribute__((target("avx512f"))) void sign_avx512(std::span<const uint64_t> shingles, const uint32_t* a,
                                                    const uint32_t* b, uint32_t* least, size_t hashes) {
  constexpr size_t kVectors = 7;  // 112 hashes in one pass
  for (size_t at = 0; at < hashes; at += kLanes * kVectors) {
    const size_t vectors = std::min(kVectors, (hashes - at) / kLanes);
    __m512i low[kVectors];
    std::fill_n(low, kVectors, _mm512_set1_epi32(-1));
    if (vectors == kVectors) {
      for (const uint64_t shingle : shingles) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(key_of(shingle)));
#pragma GCC unroll 7
        for (size_t v = 0; v < kVectors; ++v) {
          const __m512i h = _mm512_add_epi32(_mm512_mullo_epi32(x, _mm512_loadu_si512(a + at + v * kLanes)),
                                             _mm512_loadu_si512(b + at + v * kLanes));
          low[v] = _mm512_maskz_min_epu32(0xFFFF, low[v], h);  // the plain form warns in GCC 12 (bug 105593)
        }
      }
    } else {
      for (const uint64_t shingle : shingles) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(key_of(shingle)));
        for (size_t v = 0; v < vectors; ++v) {
          const __m512i h = _mm512_add_epi32(_mm512_mullo_epi32(x, _mm512_loadu_si512(a + at + v * kLanes)),
                                             _mm512_loadu_si512(b + at + v * kLanes));
          low[v] = _mm512_maskz_min_epu32(0xFFFF, low[v], h);  // the plain form warns in GCC 12 (bug 105593)
        }
      }
    }
    for (size_t v = 0; v < vectors; ++v) {
      _mm512_storeu_si512(least + at + v * kLanes, low[v]);
    }
  }
}
#endif

auto sign_function(base::Isa isa) noexcept {
#if defined(__x86_64__)
  if (isa >= base::Isa::kAvx512 && base::cpu_features().avx512) {
    return &sign_avx512;
  }
  if (isa >= base::Isa::kAvx2 && base::cpu_features().avx2) {
    return &sign_avx2;
  }
#endif
  return &sign_scalar;
}

}  // namespace

double candidate_probability(double s, const Bands& bands) noexcept {
  return 1 - std::pow(1 - std::pow(s, bands.rows), bands.bands);
}

Bands bands_for(double jaccard, int hashes) {
  Bands best{hashes, 1};
  for (int rows = 2; rows <= hashes; ++rows) {
    const Bands bands{hashes / rows, rows};
    if (candidate_probability(jaccard, bands) < 0.99) {
      break;
    }
    best = bands;
  }
  return best;
}

void shingle(std::string_view text, Shingles& out, bool distinct) {
  out.small.clear();
  out.large.clear();
  std::vector<uint64_t> words;
  words.reserve(text.size() / 5 + 1);
  hash_words(text, words);
  if (words.size() >= kBothFrom) {
    run_hashes(words, kLargeWords, out.large);
  }
  if (words.size() <= kBothTo) {
    run_hashes(words, kSmallWords, out.small);
  }
  if (distinct) {
    sort_distinct(out.small);
    sort_distinct(out.large);
  }
}

double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b) noexcept {
  if (a.empty() || b.empty()) {
    return 0;
  }
  size_t both = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    both += static_cast<size_t>(a[i] == b[j]);
    const bool advance_a = a[i] <= b[j];
    const bool advance_b = b[j] <= a[i];
    i += static_cast<size_t>(advance_a);
    j += static_cast<size_t>(advance_b);
  }
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

double jaccard(const Shingles& a, const Shingles& b) noexcept {
  return std::max(jaccard(a.small, b.small), jaccard(a.large, b.large));
}

MinHasher::MinHasher(int hashes, uint64_t seed, base::Isa isa) : hashes_(hashes), function_(sign_function(isa)) {
  SLIPWAY_CHECK(hashes > 0 && hashes <= 4096);
  const size_t padded = (static_cast<size_t>(hashes) + kLanes - 1) / kLanes * kLanes;
  base::Rng rng(seed, "minhash");
  for (size_t i = 0; i < padded; ++i) {
    a_.push_back(static_cast<uint32_t>(rng.next() >> 32) | 1U);
    b_.push_back(static_cast<uint32_t>(rng.next() >> 32));
  }
}

void MinHasher::sign(std::span<const uint64_t> shingles, std::span<uint32_t> signature) const {
  SLIPWAY_CHECK(signature.size() == static_cast<size_t>(hashes_));
  std::array<uint32_t, 4096> least;
  std::fill_n(least.begin(), a_.size(), 0xffffffffU);
  function_(shingles, a_.data(), b_.data(), least.data(), a_.size());
  std::copy_n(least.begin(), signature.size(), signature.begin());
}

void band_keys(std::span<const uint32_t> signature, const Bands& bands, uint64_t kind, std::span<uint64_t> keys) {
  SLIPWAY_CHECK(keys.size() == static_cast<size_t>(bands.bands) &&
                signature.size() >= static_cast<size_t>(bands.bands) * static_cast<size_t>(bands.rows));
  const auto bytes = static_cast<size_t>(bands.rows) * sizeof(uint32_t);
  const auto* data = reinterpret_cast<const char*>(signature.data());  // NOLINT: bytes to hash
  for (size_t band = 0; band < keys.size(); ++band) {
    keys[band] = base::xxh64({data + band * bytes, bytes}, 2 * band + kind);
  }
}

}  // namespace slipway::data
