// How many tokens of waiting prompts go into a pass beside running streams: as many as make the pass take twice as long
// as it would without them, so that a late prompt delays a stream by at most its usual gap. Learns what this machine
// and model take from the passes that ran. Results never depend on it. One thread.
#pragma once

#include <array>

namespace slipway::engine {

class ChunkSizer {
 public:
  explicit ChunkSizer(int max_batch_tokens) : max_(max_batch_tokens) {}
  // Tokens of prompts for a pass that has `decode_rows` rows of running streams; at least 1 when there is room.
  int budget(int decode_rows) const noexcept;
  // What a pass of that size took.
  void record(int decode_rows, int prompt_tokens, double seconds) noexcept;

 private:
  double decode_seconds(int decode_rows) const noexcept;
  int max_;
  std::array<double, 24>
      decode_{};          // seconds of a pass without prompts, by the binary logarithm of its rows; 0: not seen
  double per_token_ = 0;  // seconds a prompt's token adds
};

}  // namespace slipway::engine
