// The one random generator: xoshiro256++ (Blackman & Vigna 2018), seeded through SplitMix64. Same seed, same numbers, on
// every machine: nothing here uses std:: distributions, whose output differs between libraries.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace slipway::base {

class Rng {
 public:
  explicit Rng(uint64_t seed) noexcept;
  // An independent generator for a named purpose: the same (seed, label) gives the same stream.
  Rng(uint64_t seed, std::string_view label) noexcept;

  uint64_t next() noexcept;
  // Uniform in [0, n), without bias (Lemire 2019); n > 0.
  uint64_t below(uint64_t n) noexcept;
  // Uniform in [0, 1), 53 bits.
  double uniform() noexcept;
  // Standard normal (Box-Muller, both values used).
  double normal() noexcept;

  template <class T>
  void shuffle(std::span<T> items) noexcept {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[below(i)]);
    }
  }

  // The whole state, to checkpoint and resume exactly: 4 words, then the cached normal's bits and a flag.
  std::array<uint64_t, 6> state() const noexcept;
  void set_state(const std::array<uint64_t, 6>& state) noexcept;

 private:
  std::array<uint64_t, 4> s_{};
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace slipway::base
