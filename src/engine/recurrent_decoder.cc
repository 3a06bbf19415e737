#include "engine/recurrent_decoder.h"

#include <algorithm>

namespace slipway::engine {
namespace {

constexpr int64_t kLine = 16;  // floats of a cache line

int64_t page_values(const model::RecurrentSpec& spec) { return (spec.state_values() + kLine - 1) / kLine * kLine; }

}  // namespace

int64_t RecurrentDecoder::page_bytes(const model::RecurrentSpec& spec) {
  return page_values(spec) * static_cast<int64_t>(sizeof(float));
}

RecurrentDecoder::RecurrentDecoder(const model::OpenedRecurrent& opened, const RecurrentDecoderOptions& options,
                                   base::Pool& pool)
    : page_tokens_(options.page_tokens), values_(page_values(opened.spec)), scratch_(options.isa, pool) {
  Packer packer(*opened.weights, options.isa, options.weight_type, pool);
  net_ = std::make_unique<RecurrentNet>(opened.spec, opened.weights, packer);
  head_ = packer.linear("lm_head");
  weight_type_ = packer.main_type();
  bytes_ = packer.bytes();
  states_ = kernels::aligned_array<float>(static_cast<size_t>(values_ * options.pages));
}

void RecurrentDecoder::forward(std::span<const PassRows> rows, std::vector<float>& logits) {
  const auto page_of = [&](const PassRows& part, int position) {
    return state(part.pages[static_cast<size_t>(position / page_tokens_)]);
  };
  std::vector<RecurrentPart> parts;
  for (const PassRows& part : rows) {
    RecurrentPart& out = parts.emplace_back();
    out.ids = part.ids;
    out.begin = part.first == 0 ? nullptr : page_of(part, part.first - 1);
    const auto count = static_cast<int>(part.ids.size());
    for (int i = 0; i < count; ++i) {
      const int position = part.first + i;
      if (i + 1 == count || (position + 1) % page_tokens_ == 0) {
        out.saves.push_back({i, page_of(part, position)});
      }
    }
  }
  const std::span<const float> outputs = net_->forward(parts, scratch_);
  const auto hidden = static_cast<size_t>(net_->spec().hidden_size);
  wanted_.clear();
  size_t at = 0;
  for (const PassRows& part : rows) {
    const auto from = static_cast<size_t>(part.logits_from);
    const auto wanted = outputs.subspan((at + from) * hidden, (part.ids.size() - from) * hidden);
    wanted_.insert(wanted_.end(), wanted.begin(), wanted.end());
    at += part.ids.size();
  }
  const auto vocab = static_cast<size_t>(vocab_size());
  const size_t count = wanted_.size() / hidden;
  logits.resize(count * vocab);
  if (count > 0) {
    const kernels::BlockProduct product{.w = &head_.w,
                                        .y = logits.data(),
                                        .ldy = static_cast<int64_t>(vocab),
                                        .epilogue = {.bias = head_.bias_or_null()}};
    scratch_.ops.products(static_cast<int>(count), wanted_.data(), static_cast<int64_t>(hidden), {&product, 1});
  }
}

}  // namespace slipway::engine
