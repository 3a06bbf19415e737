// LSTM and GRU as text classifiers and encoders: outputs of the last layer, pooled as config.json says, and a linear
// head. Any thread.
#pragma once

#include "engine/recurrent_net.h"
#include "engine/text_encoder.h"

namespace slipway::engine {

class RecurrentEncoder final : public TextEncoder {
 public:
  // The pool is borrowed. Throws Error(kNotFound | kInvalid | kIntegrity).
  RecurrentEncoder(const model::ModelFolder& folder, base::Isa isa, base::Pool& pool);

  void run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* pool) const override;
  const model::ModelSpec& spec() const override { return spec_; }
  bool int8() const override { return false; }
  int64_t bytes() const override { return bytes_; }
  // A step reads its weights once for all texts of the pass, so many texts a pass pay (bench/rivals/recurrent.py).
  int pass_tokens() const override { return 2048; }

 private:
  // pooled [features] of `length` outputs.
  void pool_outputs(const float* outputs, int length, float* pooled) const;

  model::ModelSpec spec_;
  base::Isa isa_;
  base::Pool& pool_;
  std::unique_ptr<const RecurrentNet> net_;
  PackedLinear classifier_;  // empty: there is none
  int64_t bytes_ = 0;
  mutable ScratchList<RecurrentNet::Scratch> scratch_;
};

}  // namespace slipway::engine
