// A model folder's f32 weights as an ONNX graph that ONNX Runtime, OpenVINO, TensorRT and others load.
//   inputs   input_ids, attention_mask, token_type_ids: int64 [batch, sequence], both axes free
//   outputs  with a classifier: logits [batch, labels]; without: last_hidden_state [batch, sequence, hidden] and
//            sentence_embedding [batch, hidden] (mean over the mask, scaled to length 1)
// Opset 17 (LayerNormalization), IR 8. Weights stream from the map into the file, one tensor at a time.
#pragma once

#include <filesystem>

#include "base/json.h"

namespace slipway::convert {

// Writes `path` atomically. Returns {"bytes", "nodes", "parameters", "opset", "seconds"}.
// Throws Error(kNotFound | kInvalid | kIntegrity); kInvalid for a model of 2 GiB and more, which one protobuf cannot
// hold.
base::Json export_onnx(const std::filesystem::path& folder, const std::filesystem::path& path);

}  // namespace slipway::convert
