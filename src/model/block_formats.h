// GGUF's block formats: rows of blocks of 32 or 256 values that share scales. Decoding is exact to the formats'
// definition (ggml's ggml-quants.c and ggml-common.h; the Python package gguf has the same in numpy, which the gold
// values of tests/gold/block_formats.json come from). For loading and tests, one value after another: products in these
// formats are the kernels' business. Any thread.
#pragma once

#include <span>
#include <string_view>

#include "model/tensor.h"

namespace slipway::model {

// Decodes `values.size()` values, a whole number of blocks; `bytes` holds exactly those blocks. Throws std::logic_error
// for a type that has no blocks or sizes that disagree (a bug: TensorViews are checked when a file is opened).
void decode_blocks(DType dtype, std::string_view bytes, std::span<float> values);

}  // namespace slipway::model
