// MinHash signatures of texts and locality-sensitive bands over them (Broder 1997; Indyk & Motwani 1998).
//
// Shingles: the lower-cased words of a text (letters and digits; each Han or Kana character is a word) in runs of n.
// n = 5 from 50 words on, n = 2 below: one replaced word changes n shingles, so at Jaccard 0.8 a text of 50 words may
// differ by one word under n = 5, while a snippet of 20 words could not (0.52); under n = 2 it may (0.81), and texts of
// up to 17 words only count as near-duplicates when they have the same words in the same order. Texts of 40 to 62 words
// carry both kinds, so that two near-duplicates on either side of the limit still meet.
// Everything here is a pure function; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"

namespace slipway::data {

struct Bands {
  int bands = 14;
  int rows = 8;
};

// The bands for which pairs at Jaccard `jaccard` become candidates with probability >= 0.99 and the fewest others do:
// the largest `rows` with bands = hashes / rows that allows it. Candidates are verified, so recall is what counts.
Bands bands_for(double jaccard, int hashes = 112);

// Probability that a pair of Jaccard `s` shares a band: 1 - (1 - s^rows)^bands.
double candidate_probability(double s, const Bands& bands) noexcept;

struct Shingles {
  std::vector<uint64_t> small;  // n = 2, sorted, distinct; empty when the text is too long for them
  std::vector<uint64_t> large;  // n = 5, sorted, distinct; empty when the text is too short for them
};

// Buffers are reused. With `distinct` false the sets are left as they come, unsorted and with repeats: enough for a
// minimum.
void shingle(std::string_view text, Shingles& out, bool distinct = true);

// |a ∩ b| / |a ∪ b| of sorted distinct sets; 0 when either is empty.
double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b) noexcept;
// The larger of the two kinds' values where both texts have that kind.
double jaccard(const Shingles& a, const Shingles& b) noexcept;

// The minimum of each of `hashes` functions h_i(x) = a_i * x + b_i mod 2^32 (a_i odd) over the shingles.
class MinHasher {
 public:
  // `isa` is lowered to what this machine has; all levels give the same numbers. 1 <= hashes <= 4096.
  MinHasher(int hashes, uint64_t seed, base::Isa isa = base::select_isa());
  int hashes() const noexcept { return hashes_; }
  // signature [hashes]; all ones when there are no shingles. AVX-512, AVX2 or scalar.
  void sign(std::span<const uint64_t> shingles, std::span<uint32_t> signature) const;

 private:
  using Function = void (*)(std::span<const uint64_t>, const uint32_t*, const uint32_t*, uint32_t*, size_t);
  int hashes_;
  Function function_;
  std::vector<uint32_t> a_;  // padded to whole vectors
  std::vector<uint32_t> b_;
};

// One 64-bit key a band, [bands.bands]; `kind` keeps the two kinds of shingles apart.
void band_keys(std::span<const uint32_t> signature, const Bands& bands, uint64_t kind, std::span<uint64_t> keys);

}  // namespace slipway::data
