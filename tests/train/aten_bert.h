// BERT written with ATen's own operations and autograd, padded as everybody writes it: what the trainer's packed,
// hand-derived encoder is held to in tests.
#pragma once

#include <memory>

#include "train/bert_encoder.h"
#include "train/learner.h"

namespace slipway::tests {

std::unique_ptr<train::Learner> make_aten_bert(train::BertParameters& parameters, const train::Dropout& dropout);

}  // namespace slipway::tests
