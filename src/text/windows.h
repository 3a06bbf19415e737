// A text, or a pair of them, as the inputs of a model: with special tokens, cut into windows that overlap, padded, and
// with masks. What Hugging Face's `tokenizer(text, pair, truncation=, max_length=, stride=, padding=, ...)` returns.
// Pure functions. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer.h"

namespace slipway::text {

struct TokenWindow {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::vector<int32_t> attention_mask;                 // 0 for padding
  std::vector<int32_t> special_tokens_mask;            // 1 for the tokens around and between texts, and for padding
  std::vector<std::pair<uint32_t, uint32_t>> offsets;  // as Encoding's; (0, 0) for those
};

// The windows of one text (`second` null) or of a pair. The first holds what truncation keeps; then, in Hugging Face's
// order, the overlapping ones of the rest, each repeating `stride` tokens of the one before: of a pair, each window of
// the first text with those of the second. Without truncation there is one. Throws Error(kInvalid) when the special
// tokens do not fit, the one text that may be cut would have to go altogether, or the stride leaves no progress.
std::vector<TokenWindow> encode_windows(const Tokenizer& tokenizer, std::string_view first,
                                        const std::string_view* second, bool add_special_tokens,
                                        const std::optional<FileTruncation>& truncation);

// Fills windows up to the padding's length, else to that of the longest `first` window of the batch's texts; longer
// ones stay.
void pad_windows(std::span<std::vector<TokenWindow>> batch, const FilePadding& padding);

}  // namespace slipway::text
