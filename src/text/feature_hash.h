// Numbers for features of linear models: a template's number and what fills it, mixed as SplitMix64 does. Part of the models'
// format (kFeatureVersion). Internal to this room.
#pragma once

#include <cstdint>

namespace slipway::text {

inline uint64_t mix_features(uint64_t a, uint64_t b) noexcept {
  uint64_t h = (a ^ b) * 0xBF58476D1CE4E5B9U;
  return h ^ (h >> 32);
}
// The templates number the features, so that equal words in other places differ.
inline uint64_t feature(uint64_t kind, uint64_t a) noexcept {
  return mix_features(mix_features((kind + 1) * 0x9E3779B97F4A7C15U, a) * 0x94D049BB133111EBU, 0);
}
inline uint64_t feature(uint64_t kind, uint64_t a, uint64_t b) noexcept { return feature(kind, mix_features(a * 0x9E3779B97F4A7C15U, b)); }
inline uint64_t feature(uint64_t kind, uint64_t a, uint64_t b, uint64_t c) noexcept {
  return feature(kind, mix_features(a * 0x9E3779B97F4A7C15U, b), c);
}

}  // namespace slipway::text
