// Bounds of a decoder's sizes: far above any published model, low enough that no product of three of them overflows
// int64. Internal to the room.
#pragma once

namespace slipway::model {

inline constexpr int kMaxVocab = 10'000'000;
inline constexpr int kMaxHidden = 131'072;
inline constexpr int kMaxLayers = 1'000;
inline constexpr int kMaxHeads = 4'096;
inline constexpr int kMaxHeadDim = 4'096;
inline constexpr int kMaxIntermediate = 2'000'000;
inline constexpr int kMaxPositions = 100'000'000;
inline constexpr double kMaxRopeTheta = 1e12;
inline constexpr double kMaxRopeFactor = 1e6;

}  // namespace slipway::model
