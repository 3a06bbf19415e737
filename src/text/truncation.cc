#include "text/truncation.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {

using base::Code;
using base::Error;

size_t room_for_text(const EncodeOptions& options, size_t special) {
  if (options.max_length <= 0) {
    return SIZE_MAX;
  }
  const auto length = static_cast<size_t>(options.max_length);
  if (length < special) {
    throw Error(Code::kInvalid, fmt::format("max_length {} leaves no room for the {} special tokens", length, special));
  }
  return length - special;
}

void truncate(size_t begin, size_t count, bool left, Encoding& encoding) {
  const size_t size = encoding.ids.size() - begin;
  if (size <= count) {
    return;
  }
  const auto cut = [&](auto& values) {
    if (values.empty()) {
      return;
    }
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(left ? begin : begin + count);
    values.erase(from, from + static_cast<std::ptrdiff_t>(size - count));
  };
  cut(encoding.ids);
  cut(encoding.offsets);
}

void truncate_pair(size_t room, const EncodeOptions& options, Encoding (&texts)[2]) {
  const size_t sizes[2] = {texts[0].ids.size(), texts[1].ids.size()};
  if (sizes[0] + sizes[1] <= room) {
    return;
  }
  if (options.strategy == TruncationStrategy::kLongestFirst) {
    const int shorter = sizes[0] > sizes[1] ? 1 : 0;
    size_t small = sizes[shorter];
    size_t large = small > room ? small : std::max(small, room - small);
    if (small + large > room) {
      small = room / 2;
      large = small + room % 2;
    }
    truncate(0, small, options.truncate_left, texts[shorter]);
    truncate(0, large, options.truncate_left, texts[1 - shorter]);
    return;
  }
  const int target = options.strategy == TruncationStrategy::kOnlyFirst ? 0 : 1;
  const size_t excess = sizes[0] + sizes[1] - room;
  if (sizes[target] <= excess) {
    throw Error(Code::kInvalid,
                fmt::format("the pair is {} ids too long, and the {} text, which alone may be cut, has {}", excess,
                            target == 0 ? "first" : "second", sizes[target]));
  }
  truncate(0, sizes[target] - excess, options.truncate_left, texts[target]);
}

}  // namespace slipway::text
