// Guesses at the next tokens of a text from what the text says itself: what followed the last time its last few tokens
// occurred (prompt lookup decoding, Saxena 2023; Yang et al. 2023 "Inference with Reference"). A pass checks several
// guesses for little more than the price of one token, because it reads the weights once. Free of state; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace slipway::engine {

// The tokens after the latest earlier occurrence of the last three (else two) tokens of `ids`, at most `most`; a view
// of `ids`, empty when there is none. Looks back over 8192 tokens.
inline std::span<const int32_t> look_up(std::span<const int32_t> ids, size_t most) {
  constexpr size_t kWindow = 8192;
  const size_t begin = ids.size() > kWindow ? ids.size() - kWindow : 0;
  for (const size_t length : {size_t{3}, size_t{2}}) {
    if (ids.size() < begin + length + 1) {
      continue;
    }
    const std::span<const int32_t> last = ids.last(length);
    for (size_t end = ids.size() - 1; end >= begin + length; --end) {  // of an occurrence, exclusive
      if (ids[end - 1] == last[length - 1] &&
          std::equal(last.begin(), last.end(), ids.begin() + static_cast<std::ptrdiff_t>(end - length))) {
        return ids.subspan(end, std::min(most, ids.size() - end));
      }
    }
  }
  return {};
}

}  // namespace slipway::engine
