// Weights from f32 to int8 (docs/formats/int8.md), by arithmetic on the weights alone: no data are needed, activations
// are quantised by the engine as it runs. What it costs in accuracy is measured by parity.h. One call a folder; the
// rows of a tensor are spread over the context's pool, and the result does not depend on how many threads there are.
#pragma once

#include <filesystem>
#include <string>

#include "base/context.h"
#include "base/fields.h"
#include "base/json.h"

namespace slipway::convert {

using base::Json;

struct QuantizeOptions {
  std::string clip = "max";  // "max": the largest |weight| of the row is 127; "mse": the clip of least squared error
  bool embeddings = true;    // word embeddings in int8 too (half of a small model's bytes)
  void describe(base::FieldTable& table);
};

// Reads folder_in (config.json, model.safetensors) and writes into folder_out (created when absent; may be folder_in):
// model.int8.safetensors, and when the folders differ config.json and the tokenizer's files; each atomically, weights
// last. Returns a summary for reports:
//   {"format", "bytes_before", "bytes_after", "ratio", "seconds", "source_sha256", "options": {...},
//    "relative_error": root of (sum of squared errors / sum of squared weights) over all quantised weights,
//    "layers": [{"name", "rows", "cols", "relative_error", "max_error", "snr_db", "clipped": share of rows clipped}]}.
// Throws Error(kNotFound | kInvalid | kIntegrity): no f32 weights, a weight that is NaN or infinite (named).
Json quantize_int8(const std::filesystem::path& folder_in, const std::filesystem::path& folder_out,
                   const QuantizeOptions& options, base::Context& context);

}  // namespace slipway::convert
