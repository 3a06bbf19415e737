#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "base/hash.h"

namespace slipway::base {

Rng::Rng(uint64_t seed) noexcept {
  for (uint64_t& word : s_) {
    seed += 0x9e3779b97f4a7c15ULL;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

Rng::Rng(uint64_t seed, std::string_view label) noexcept : Rng(xxh64(label, seed)) {}

uint64_t Rng::next() noexcept {
  const uint64_t result = std::rotl(s_[0] + s_[3], 23) + s_[0];
  const uint64_t t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = std::rotl(s_[3], 45);
  return result;
}

uint64_t Rng::below(uint64_t n) noexcept {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * n;
  auto low = static_cast<uint64_t>(product);
  if (low < n) {
    const uint64_t threshold = (0 - n) % n;
    while (low < threshold) {
      product = static_cast<Wide>(next()) * n;
      low = static_cast<uint64_t>(product);
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

double Rng::uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Rng::normal() noexcept {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

std::array<uint64_t, 6> Rng::state() const noexcept {
  return {s_[0], s_[1], s_[2], s_[3], std::bit_cast<uint64_t>(spare_), has_spare_ ? 1U : 0U};
}

void Rng::set_state(const std::array<uint64_t, 6>& state) noexcept {
  s_ = {state[0], state[1], state[2], state[3]};
  spare_ = std::bit_cast<double>(state[4]);
  has_spare_ = state[5] != 0;
}

}  // namespace slipway::base
