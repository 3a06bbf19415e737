// Our int8 weights in a safetensors file (docs/formats/int8.md). In it
//   - the linear weights of every encoder layer (six in BERT) are I8 [out, in], each with NAME.scale F32 [out]:
//     weight[o][i] = scale[o] * int8[o][i], int8 in [-127, 127] (symmetric: no zero points);
//   - the word embeddings are I8 [vocab, hidden] with NAME.scale F32 [vocab], or F32 (readers take both);
//   - everything else (other embeddings, biases, norms, the head) is F32, as in model.safetensors.
// Metadata: {"format": "slipway-int8", "version": "1", ...}. Activations are not described: the engine quantises them
// row by row as it runs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/safetensors.h"

namespace slipway::model {

inline constexpr const char* kInt8Format = "slipway-int8";
inline constexpr const char* kInt8Version = "1";
inline constexpr int kInt8Max = 127;

// "encoder.layer.0.output.dense.weight" -> "encoder.layer.0.output.dense.weight.scale".
std::string scale_name(const std::string& name);

// True when the file's metadata says it is in this layout; throws Error(kInvalid) for a version we do not read.
bool is_int8_file(const SafetensorsFile& file);

// A quantised matrix inside a file; valid as long as the file.
struct Int8Matrix {
  std::span<const int8_t> values;  // [rows, cols]
  std::span<const float> scales;   // [rows]
  int rows = 0;
  int cols = 0;
};

// Throws Error(kIntegrity) when `name` is absent, not I8 or of another shape, or its scales are missing, misaligned,
// negative or not finite. The values are not read (a -128 is harmless to kernels that take the whole of int8).
Int8Matrix read_int8(const TensorSource& file, const std::string& name, int64_t rows, int64_t cols);

// Symmetric quantisation of one row: scale = clip / 127, values = round-half-even(weight / scale) clamped to [-127,
// 127]. clip = max |weight| unless given (> 0) smaller. A row of zeros has scale 0. Returns the scale. noexcept; any
// thread.
float quantize_row(std::span<const float> weights, std::span<int8_t> out, float clip = 0) noexcept;

// Every row of [rows, cols] by quantize_row.
struct Int8Rows {
  std::vector<int8_t> values;
  std::vector<float> scales;
};
Int8Rows quantize_rows(std::span<const float> weights, int64_t rows, int64_t cols);

}  // namespace slipway::model
