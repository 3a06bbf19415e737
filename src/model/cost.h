// What a model costs: numbers derived from its spec, for reports, benches and plans. Any thread.
#pragma once

#include <cstdint>

#include "model/model_spec.h"

namespace slipway::model {

// Floating-point operations (a multiply and an add are two) to push one token of a text of `sequence` tokens through
// the encoder: the linear layers' 2 * weights, plus 4 * sequence * hidden a layer for scores and their mix. Norms,
// softmax and activations (about 1 %) are not counted. Pooler and classifier run once a text: see flops_per_text.
double flops_per_token(const ModelSpec& spec, int sequence);

// One whole text of `sequence` tokens, pooler and classifier included when the spec has a classifier.
double flops_per_text(const ModelSpec& spec, int sequence);

// Bytes of weights: 4 a parameter in f32; in our int8 layout, 1 a linear or word-embedding weight plus 4 a scale.
int64_t weight_bytes_f32(const ModelSpec& spec);
int64_t weight_bytes_int8(const ModelSpec& spec);

}  // namespace slipway::model
