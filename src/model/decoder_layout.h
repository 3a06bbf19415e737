// Where a canonical tensor of a decoder lies in the tensor of a file: transposed, fused with others, its rows in
// another order. Internal to the room; decoder_weights.h and lora.h are what others use. Values; any thread.
#pragma once

#include <cstdint>

#include "model/decoder_names.h"

namespace slipway::model {

bool is_qkv(DecoderRole role) noexcept;

// How a tensor lies in the file, against the canonical layout.
enum class Layout {
  kRows,             // canonical: rows first .. first + rows
  kTransposed,       // GPT-2's Conv1D: [in, out]; our rows are the file's columns
  kHeadInterleaved,  // GPT-NeoX: rows [head, (q, k, v), head_dim]
  kPairInterleaved,  // Llama in GGUF: the two halves of a head's rows one by one, for RoPE on neighbours
  kMinusOne,         // Gemma's norms: factor - 1
};
Layout layout_of(const DecoderSpec& spec, FileNaming naming, const DecoderTensor& tensor) noexcept;

// Rows of the whole tensor in the file, and where ours begin in it.
struct Extent {
  int64_t total;
  int64_t first;
};
Extent extent_of(const DecoderSpec& spec, const DecoderTensor& tensor, Fusion fusion) noexcept;

// The file's row that is our row `row`; `first` is the extent's. Any layout but kTransposed, whose columns they are.
int64_t file_row(const DecoderSpec& spec, Layout layout, DecoderRole role, int64_t first, int64_t row) noexcept;

}  // namespace slipway::model
