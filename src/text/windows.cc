#include "text/windows.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

// A part [begin, end) of a text's tokens.
struct Part {
  size_t begin = 0;
  size_t end = 0;
  bool overflow = false;  // not the first, which truncation keeps
};

// What is kept of `size` tokens when `length` fit, then the overlapping parts of the rest, as tokenizers'
// Encoding::truncate cuts them: in steps of length - stride, from the side that is kept.
std::vector<Part> cut(size_t size, size_t length, size_t stride, bool left) {
  if (size <= length) {
    return {{0, size}};
  }
  if (length == 0) {
    return {{0, 0}, {0, size, true}};
  }
  if (stride >= length) {
    throw Error(Code::kInvalid,
                fmt::format("a stride of {} with windows of {} tokens of text leaves no progress", stride, length));
  }
  std::vector<Part> parts;
  for (size_t done = 0;; done += length - stride) {
    const size_t end = std::min(done + length, size);
    parts.push_back(left ? Part{size - end, size - done, done > 0} : Part{done, end, done > 0});
    if (end == size) {
      return parts;
    }
  }
}

// How many tokens of each text stay, of `sizes`, when `room` fit together: tokenizers' truncate_encodings.
std::pair<size_t, size_t> kept(std::pair<size_t, size_t> sizes, bool pair, size_t room, TruncationStrategy strategy) {
  const size_t total = sizes.first + sizes.second;
  if (room == 0) {
    return {0, 0};
  }
  if (total <= room) {
    return sizes;
  }
  const size_t excess = total - room;
  if (strategy == TruncationStrategy::kLongestFirst) {
    if (!pair) {
      return {room, 0};
    }
    size_t small = std::min(sizes.first, sizes.second);
    size_t large = small > room ? small : std::max(small, room - small);
    if (small + large > room) {
      small = room / 2;
      large = small + room % 2;
    }
    return sizes.first > sizes.second ? std::pair{large, small} : std::pair{small, large};
  }
  const bool first = strategy == TruncationStrategy::kOnlyFirst;
  size_t& target = first ? sizes.first : sizes.second;
  if (target <= excess) {
    throw Error(Code::kInvalid, fmt::format("the input is {} tokens too long, and the {} text, which alone may be cut, "
                                            "has {}",
                                            excess, first ? "first" : "second", target));
  }
  target -= excess;
  return sizes;
}

// One window: the frame's special tokens around and between parts of the texts.
TokenWindow assemble(const std::vector<FrameItem>& frame, bool add_special_tokens, const Encoding (&texts)[2],
                     const Part (&parts)[2]) {
  TokenWindow out;
  for (const FrameItem& item : frame) {
    if (item.sequence >= 0) {
      const Encoding& text = texts[item.sequence];
      const auto from = static_cast<std::ptrdiff_t>(parts[item.sequence].begin);
      const auto to = static_cast<std::ptrdiff_t>(parts[item.sequence].end);
      out.ids.insert(out.ids.end(), text.ids.begin() + from, text.ids.begin() + to);
      out.offsets.insert(out.offsets.end(), text.offsets.begin() + from, text.offsets.begin() + to);
    } else if (add_special_tokens) {
      out.ids.push_back(item.id);
      out.offsets.emplace_back(0, 0);
    }
    const bool overflow = item.sequence >= 0 && item.overflow_type_id >= 0 && parts[item.sequence].overflow;
    out.type_ids.resize(out.ids.size(), overflow ? item.overflow_type_id : item.type_id);
    out.special_tokens_mask.resize(out.ids.size(), item.sequence < 0 ? 1 : 0);
  }
  out.attention_mask.assign(out.ids.size(), 1);
  return out;
}

}  // namespace

std::vector<TokenWindow> encode_windows(const Tokenizer& tokenizer, std::string_view first,
                                        const std::string_view* second, bool add_special_tokens,
                                        const std::optional<FileTruncation>& truncation) {
  const EncodeOptions plain{.add_special_tokens = false, .with_offsets = true};
  Encoding texts[2];
  tokenizer.encode(first, plain, texts[0]);
  if (second != nullptr) {
    tokenizer.encode(*second, plain, texts[1]);
  }
  const std::vector<FrameItem> frame = tokenizer.frame(second != nullptr);
  std::vector<Part> parts[2] = {{{0, texts[0].ids.size()}}, {{0, texts[1].ids.size()}}};
  if (truncation) {
    const size_t special = add_special_tokens ? frame.size() - (second != nullptr ? 2 : 1) : 0;
    const size_t length = static_cast<size_t>(truncation->max_length);
    if (length < special) {
      throw Error(Code::kInvalid,
                  fmt::format("a length of {} leaves no room for the {} special tokens", length, special));
    }
    const auto [a, b] =
        kept({texts[0].ids.size(), texts[1].ids.size()}, second != nullptr, length - special, truncation->strategy);
    const auto stride = static_cast<size_t>(truncation->stride);
    parts[0] = cut(texts[0].ids.size(), a, stride, truncation->left);
    parts[1] = cut(texts[1].ids.size(), b, stride, truncation->left);
  }
  std::vector<TokenWindow> windows;
  const auto add = [&](size_t a, size_t b) {
    windows.push_back(assemble(frame, add_special_tokens, texts, {parts[0][a], parts[1][b]}));
  };
  add(0, 0);
  for (size_t a = 1; a < parts[0].size(); ++a) {
    for (size_t b = 0; b < parts[1].size(); ++b) {
      add(a, b);
    }
  }
  for (size_t b = 1; b < parts[1].size(); ++b) {
    add(0, b);
  }
  return windows;
}

void pad_windows(std::span<std::vector<TokenWindow>> batch, const FilePadding& padding) {
  size_t length = static_cast<size_t>(padding.length);
  if (padding.length == 0) {
    for (const std::vector<TokenWindow>& windows : batch) {
      length = std::max(length, windows.front().ids.size());
    }
  }
  const auto multiple = static_cast<size_t>(padding.multiple);
  if (multiple > 0) {
    length = (length + multiple - 1) / multiple * multiple;
  }
  for (std::vector<TokenWindow>& windows : batch) {
    for (TokenWindow& window : windows) {
      if (window.ids.size() >= length) {
        continue;
      }
      const size_t missing = length - window.ids.size();
      const auto fill = [&](auto& values, auto value) {
        values.insert(padding.left ? values.begin() : values.end(), missing, value);
      };
      fill(window.ids, padding.id);
      fill(window.type_ids, padding.type_id);
      fill(window.attention_mask, 0);
      fill(window.special_tokens_mask, 1);
      fill(window.offsets, std::pair<uint32_t, uint32_t>{0, 0});
    }
  }
}

}  // namespace slipway::text
