// How the texts of a call are cut into passes. Pure; results do not depend on it, only speed and memory do.
#pragma once

#include <span>
#include <vector>

namespace slipway::engine {

struct Schedule {
  std::vector<std::vector<int>> passes;  // indices of texts; each non-empty
  // Threads take whole passes (no waiting for one another inside); when false, passes run one after the other and
  // threads share each one's rows, columns and heads.
  bool side_by_side = false;
};

// Tokens of a transformer's pass: enough rows to read the weights seldom (once per 256 rows costs 3 % of the time they
// compute), few enough that a pass's activations (256 x 1152 x 4 bytes for queries, keys, values) stay near the core.
inline constexpr int kPassTokens = 256;

// lengths in tokens, each >= 1; a few thousand tokens in all (work grows with their square).
Schedule schedule(std::span<const int> lengths, int threads, int pass_tokens = kPassTokens);

}  // namespace slipway::engine
