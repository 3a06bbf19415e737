#include "engine/chunk_sizer.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace slipway::engine {
namespace {

constexpr double kNew = 0.25;   // weight of the newest pass: a machine that others use changes within a second
constexpr int kFirst = 32;      // before anything was measured
constexpr int kEnough = 8;      // tokens of a pass of prompts alone that tell what one takes, not what weights take
constexpr double kExtra = 0.9;  // of a pass's usual time, for prompts

size_t bucket(int rows) { return static_cast<size_t>(std::bit_width(static_cast<unsigned>(rows))); }

void blend(double& value, double seen) { value = value == 0 ? seen : (1 - kNew) * value + kNew * seen; }

}  // namespace

double ChunkSizer::decode_seconds(int decode_rows) const noexcept {
  // The nearest number of rows below that was seen: a lower bound.
  for (size_t b = bucket(decode_rows); b > 0; --b) {
    if (decode_[b] > 0) {
      return decode_[b];
    }
  }
  return 0;
}

int ChunkSizer::budget(int decode_rows) const noexcept {
  const int room = max_ - decode_rows;
  if (decode_rows == 0 || room <= 0) {
    return std::max(room, 0);
  }
  const double usual = decode_seconds(decode_rows);
  if (usual == 0 || per_token_ == 0) {
    return std::min(room, kFirst);
  }
  const double tokens = kExtra * usual / per_token_;
  // One token of a prompt is always added: at most twice the passes, were each as dear as a stream's.
  return std::min(room, static_cast<int>(std::clamp(tokens, 1.0, double{1 << 20})));
}

void ChunkSizer::record(int decode_rows, int prompt_tokens, double seconds) noexcept {
  if (prompt_tokens == 0) {
    blend(decode_[bucket(decode_rows)], seconds);
  } else if (decode_rows == 0) {
    if (prompt_tokens >= kEnough) {
      blend(per_token_, seconds / prompt_tokens);
    }
  } else {
    const double usual = decode_seconds(decode_rows);
    if (usual > 0) {
      blend(per_token_, std::max(seconds - usual, 0.1 * seconds) / prompt_tokens);
    }
  }
}

}  // namespace slipway::engine
