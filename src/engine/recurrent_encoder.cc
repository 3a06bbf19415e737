#include "engine/recurrent_encoder.h"

#include <algorithm>

#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"
#include "kernels/recurrent.h"

namespace slipway::engine {

RecurrentEncoder::RecurrentEncoder(const model::ModelFolder& folder, base::Isa isa, base::Pool& pool)
    : isa_(isa), pool_(pool) {
  const model::OpenedWeights opened = model::open_float_weights(folder);
  spec_ = opened.spec;
  const auto weights = std::make_shared<const model::RecurrentWeights>(*spec_.recurrent, opened.file);
  Packer packer(*weights, isa, "f32", pool);
  net_ = std::make_unique<RecurrentNet>(*spec_.recurrent, weights, packer);
  if (spec_.has_classifier()) {
    classifier_ = packer.linear("classifier");
  }
  bytes_ = packer.bytes() + 4 * int64_t{spec_.vocab_size} * spec_.recurrent->embedding_dim;
}

void RecurrentEncoder::pool_outputs(const float* outputs, int length, float* pooled) const {
  const model::RecurrentSpec& r = *spec_.recurrent;
  const int features = r.features();
  const auto row = [&](int i) { return outputs + int64_t{i} * features; };
  if (r.pooling == model::RecurrentPooling::kLast) {
    std::copy_n(row(length - 1), r.hidden_size, pooled);
    if (r.bidirectional) {  // which ends at the first token
      std::copy_n(row(0) + r.hidden_size, r.hidden_size, pooled + r.hidden_size);
    }
    return;
  }
  std::copy_n(row(0), features, pooled);
  for (int i = 1; i < length; ++i) {
    if (r.pooling == model::RecurrentPooling::kMax) {
      kernels::max_into(isa_, features, row(i), pooled);
    } else {
      kernels::add(isa_, features, row(i), pooled);
    }
  }
  if (r.pooling == model::RecurrentPooling::kMean) {
    kernels::scale(isa_, features, 1.0F / static_cast<float>(length), pooled);
  }
}

// Passes of an Engine run side by side inside the pool's parallel_for, where the pool's calls run inline: so the pass
// may use the pool either way.
void RecurrentEncoder::run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* /*pool*/) const {
  if (texts.empty()) {
    return;
  }
  auto scratch = scratch_.take(isa_, pool_);
  std::vector<RecurrentPart> parts;
  for (const EncoderText& text : texts) {
    parts.push_back({.ids = text.ids});
  }
  const float* outputs = net_->forward(parts, *scratch).data();
  const int features = spec_.hidden_size;
  std::vector<float> pooled(static_cast<size_t>(features));
  for (const EncoderText& text : texts) {
    const auto length = static_cast<int>(text.ids.size());
    pool_outputs(outputs, length, pooled.data());
    if (wanted.logits && !classifier_.w.empty()) {
      const kernels::BlockProduct product{.w = &classifier_.w,
                                          .y = text.logits,
                                          .ldy = classifier_.w.n(),
                                          .epilogue = {.bias = classifier_.bias_or_null()}};
      scratch->ops.products(1, pooled.data(), features, {&product, 1});
    }
    if (wanted.embeddings) {  // of length 1
      kernels::mean_pool_normalized(isa_, 1, features, pooled.data(), features, text.embedding);
    }
    if (wanted.tokens && text.hidden != nullptr) {
      std::copy_n(outputs, int64_t{length} * features, text.hidden);
    }
    outputs += int64_t{length} * features;
  }
  scratch_.give(std::move(scratch));
}

}  // namespace slipway::engine
