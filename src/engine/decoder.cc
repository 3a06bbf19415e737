#include "engine/decoder.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "kernels/elementwise.h"

namespace slipway::engine {
namespace {

kernels::RopeTable rope_table(const model::RopeSpec& rope, int positions) {
  if (rope.rotary_dim == 0) {
    return {};
  }
  const std::vector<double> exact = model::rope_frequencies(rope, positions);
  const std::vector<float> frequencies(exact.begin(), exact.end());
  return {frequencies, positions, static_cast<float>(rope.attention_factor)};
}

bool same_rope(const model::RopeSpec& a, const model::RopeSpec& b) {
  return a.theta == b.theta && a.scaling == b.scaling && a.factor == b.factor && a.rotary_dim == b.rotary_dim;
}

kernels::KvLayout layout_of(const model::DecoderSpec& spec, kernels::KvType type, int page_tokens) {
  return {.kv_heads = spec.num_kv_heads, .head_dim = spec.head_dim, .page_tokens = page_tokens, .type = type};
}

}  // namespace

int64_t Decoder::page_bytes(const model::DecoderSpec& spec, kernels::KvType type, int page_tokens) {
  return KvCache::bytes(layout_of(spec, type, page_tokens), spec.num_layers, 1);
}

Decoder::Decoder(const model::OpenedDecoder& opened, const DecoderOptions& options, base::Pool& pool)
    : spec_(opened.spec), isa_(options.isa), ops_(options.isa, pool), lora_(ops_) {
  if (spec_.head_dim % 8 != 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' has heads of {} values; only multiples of 8 can be computed",
                                  opened.path.string(), spec_.head_dim));
  }
  weights_ = pack_decoder(opened, isa_, options.weight_type, pool, options.cache);
  if (weights_.from_cache) {
    weights_.matrices.clear();  // nobody writes them
    settler_ = std::make_unique<Settler>(weights_.products(), *options.cache);
  }
  cache_ = KvCache(layout_of(spec_, options.kv_type, options.page_tokens), spec_.num_layers, options.kv_pages);
  rope_ = rope_table(spec_.rope, options.context_length);
  const bool windows = std::any_of(spec_.layer_window.begin(), spec_.layer_window.end(), [](int w) { return w > 0; });
  if (windows && !same_rope(spec_.rope, spec_.local_rope)) {
    local_rope_ = rope_table(spec_.local_rope, options.context_length);
  }
}

int64_t Decoder::add_adapter(const model::LoraAdapter& adapter) {
  PackedLora packed = pack_lora(adapter, spec_.num_layers, isa_, ops_.pool());
  const int64_t bytes = packed.bytes;
  lora_.add(std::move(packed));
  return bytes;
}

void Decoder::embed(std::span<const PassRows> rows) {
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  std::vector<int32_t> ids;
  position_.clear();
  for (const PassRows& part : rows) {
    for (size_t i = 0; i < part.ids.size(); ++i) {
      ids.push_back(part.ids[i]);
      position_.push_back(part.first + static_cast<int>(i));
    }
  }
  m_ = static_cast<int>(ids.size());
  x_.resize(ids.size() * hidden);
  ops_.over_rows(m_, [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      const std::span<float> row = std::span(x_).subspan(static_cast<size_t>(r) * hidden, hidden);
      weights_.embed(ids[static_cast<size_t>(r)], row);
      if (spec_.embedding_scale != 1) {
        kernels::scale(isa_, spec_.hidden_size, spec_.embedding_scale, row.data());
      }
      if (spec_.learned_positions) {
        const float* position =
            weights_.positions.data() + static_cast<size_t>(position_[static_cast<size_t>(r)]) * hidden;
        kernels::add(isa_, spec_.hidden_size, position, row.data());
      }
    }
  });
}

void Decoder::normalise(const PackedNorm& norm, int m, const float* x, float* y) {
  ops_.normalise(spec_.norm, spec_.norm_eps, norm, m, spec_.hidden_size, x, y);
}

void Decoder::rotate(const PackedLayer& layer, int index) {
  const int head_dim = spec_.head_dim;
  const int64_t ld = int64_t{spec_.num_heads + 2 * spec_.num_kv_heads} * head_dim;
  const bool local = spec_.layer_window[static_cast<size_t>(index)] > 0 && local_rope_.positions() > 0;
  const kernels::RopeTable& table = local ? local_rope_ : rope_;
  if (!spec_.qk_norm && table.positions() == 0) {
    return;
  }
  ops_.over_rows(m_, [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      float* const q = qkv_.data() + r * ld;
      float* const k = q + int64_t{spec_.num_heads} * head_dim;
      if (spec_.qk_norm) {
        kernels::rms_norm(isa_, spec_.num_heads, head_dim, q, head_dim,
                          {.weight = layer.q_norm.weight.data(), .eps = spec_.norm_eps}, q, head_dim);
        kernels::rms_norm(isa_, spec_.num_kv_heads, head_dim, k, head_dim,
                          {.weight = layer.k_norm.weight.data(), .eps = spec_.norm_eps}, k, head_dim);
      }
      if (table.positions() > 0) {
        const int position = position_[static_cast<size_t>(r)];
        kernels::rope(isa_, table, position, spec_.num_heads, head_dim, false, q);
        kernels::rope(isa_, table, position, spec_.num_kv_heads, head_dim, false, k);
      }
    }
  });
}

void Decoder::attend(int index, std::span<const PassRows> rows) {
  const int head_dim = spec_.head_dim;
  const int64_t ld = int64_t{spec_.num_heads + 2 * spec_.num_kv_heads} * head_dim;
  const int64_t ld_out = int64_t{spec_.num_heads} * head_dim;
  size_t pages = 0;
  for (const PassRows& part : rows) {
    pages += part.pages.size();
  }
  page_table_.resize(2 * pages);
  cached_rows_.clear();
  size_t at = 0;
  int64_t row = 0;
  for (const PassRows& part : rows) {
    std::byte** const keys = page_table_.data() + at;
    std::byte** const values = keys + pages;
    for (size_t i = 0; i < part.pages.size(); ++i) {
      keys[i] = cache_.keys(index, part.pages[i]);
      values[i] = cache_.values(index, part.pages[i]);
    }
    const float* const q = qkv_.data() + row * ld;
    cached_rows_.push_back({.rows = static_cast<int>(part.ids.size()),
                            .position = part.first,
                            .q = q,
                            .ldq = ld,
                            .k = q + int64_t{spec_.num_heads} * head_dim,
                            .v = q + int64_t{spec_.num_heads + spec_.num_kv_heads} * head_dim,
                            .ldkv = ld,
                            .out = attended_.data() + row * ld_out,
                            .ld_out = ld_out,
                            .k_pages = keys,
                            .v_pages = values});
    at += part.pages.size();
    row += static_cast<int64_t>(part.ids.size());
  }
  const kernels::CachedAttention args{.layout = cache_.layout(),
                                      .heads = spec_.num_heads,
                                      .scale = spec_.attention_scale,
                                      .softcap = spec_.attention_softcap,
                                      .window = spec_.layer_window[static_cast<size_t>(index)],
                                      .sequences = cached_rows_};
  kernels::store_kv(isa_, args);
  kernels::attention_cached(isa_, args, &ops_.pool());
}

// x_ += norm(x W^T + bias), the norm where there is one.
void Decoder::add_output(const OutputLayer& layer, const float* x, int64_t ldx) {
  const int64_t n = spec_.hidden_size;
  kernels::BlockProduct product{
      .w = &layer.linear.w, .y = x_.data(), .ldy = n, .epilogue = {.bias = layer.linear.bias_or_null()}};
  const auto adapt = [&] {
    const LoraRows::Output output{product.y, n};
    lora_.apply(layer.site, layer.index, x, ldx, {&output, 1});
  };
  if (!layer.norm.present()) {
    product.epilogue.residual = x_.data();
    product.epilogue.ld_residual = n;
    ops_.products(m_, x, ldx, {&product, 1});
    adapt();
    return;
  }
  product.y = output_.data();
  ops_.products(m_, x, ldx, {&product, 1});
  adapt();
  normalise(layer.norm, m_, output_.data(), output_.data());
  ops_.over_rows(m_, [&](int first, int last) {
    kernels::add(isa_, (last - first) * n, output_.data() + first * n, x_.data() + first * n);
  });
}

void Decoder::attention_block(const PackedLayer& layer, int index, std::span<const PassRows> rows) {
  const int64_t q_size = int64_t{spec_.num_heads} * spec_.head_dim;
  const int64_t kv_size = int64_t{spec_.num_kv_heads} * spec_.head_dim;
  const int64_t ld = q_size + 2 * kv_size;
  float* const qkv = qkv_.data();
  const kernels::BlockProduct list[] = {
      {.w = &layer.q.w, .y = qkv, .ldy = ld, .epilogue = {.bias = layer.q.bias_or_null()}},
      {.w = &layer.k.w, .y = qkv + q_size, .ldy = ld, .epilogue = {.bias = layer.k.bias_or_null()}},
      {.w = &layer.v.w, .y = qkv + q_size + kv_size, .ldy = ld, .epilogue = {.bias = layer.v.bias_or_null()}}};
  ops_.products(m_, normed_.data(), spec_.hidden_size, list);
  const LoraRows::Output outputs[] = {{qkv, ld}, {qkv + q_size, ld}, {qkv + q_size + kv_size, ld}};
  lora_.apply(LoraSite::kQkv, index, normed_.data(), spec_.hidden_size, outputs);
  rotate(layer, index);
  attend(index, rows);
  add_output({layer.o, layer.attention_output_norm, LoraSite::kOutput, index}, attended_.data(), q_size);
}

void Decoder::mlp_block(const PackedLayer& layer, int index, const float* input) {
  const int64_t n = spec_.intermediate_size;
  std::function<void()> adapt;
  if (lora_.changes(LoraSite::kGateUp, index)) {
    adapt = [&] {
      const LoraRows::Output outputs[] = {{mlp_.data(), n}, {spec_.gated_mlp ? mlp_up_.data() : mlp_.data(), n}};
      lora_.apply(LoraSite::kGateUp, index, input, spec_.hidden_size, outputs);
    };
  }
  ops_.mlp_inner(m_, input, spec_.hidden_size, layer.gate, layer.up, activation_of(spec_.activation), mlp_.data(),
                 mlp_up_.data(), adapt);
  add_output({layer.down, layer.mlp_output_norm, LoraSite::kDown, index}, mlp_.data(), n);
}

void Decoder::head(std::span<const PassRows> rows, std::vector<float>& logits) {
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  size_t wanted = 0;
  size_t at = 0;
  for (const PassRows& part : rows) {  // normed_ is free by now: the wanted rows move together there
    const auto from = static_cast<size_t>(part.logits_from);
    const size_t count = part.ids.size() - from;
    std::copy_n(x_.begin() + static_cast<std::ptrdiff_t>((at + from) * hidden), count * hidden,
                normed_.begin() + static_cast<std::ptrdiff_t>(wanted * hidden));
    wanted += count;
    at += part.ids.size();
  }
  const int64_t vocab = spec_.vocab_size;
  logits.resize(wanted * static_cast<size_t>(vocab));
  if (wanted == 0) {
    return;
  }
  const auto m = static_cast<int>(wanted);
  normalise(weights_.final_norm, m, normed_.data(), normed_.data());
  const kernels::BlockProduct product{
      .w = &weights_.head.w, .y = logits.data(), .ldy = vocab, .epilogue = {.bias = weights_.head.bias_or_null()}};
  ops_.products(m, normed_.data(), spec_.hidden_size, {&product, 1});
  lora_.begin(rows, true);
  const LoraRows::Output output{logits.data(), vocab};
  lora_.apply(LoraSite::kHead, 0, normed_.data(), spec_.hidden_size, {&output, 1});
  if (spec_.final_softcap > 0) {
    ops_.over_rows(m, [&](int first, int last) {
      kernels::softcap(isa_, (last - first) * vocab, spec_.final_softcap, logits.data() + first * vocab);
    });
  }
}

void Decoder::forward(std::span<const PassRows> rows, std::vector<float>& logits) {
  embed(rows);
  lora_.begin(rows, false);
  const auto m = static_cast<size_t>(m_);
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  const auto head_dim = static_cast<size_t>(spec_.head_dim);
  const auto heads = static_cast<size_t>(spec_.num_heads);
  normed_.resize(m * hidden);
  qkv_.resize(m * (heads + 2 * static_cast<size_t>(spec_.num_kv_heads)) * head_dim);
  attended_.resize(m * heads * head_dim);
  mlp_.resize(m * static_cast<size_t>(spec_.intermediate_size));
  mlp_up_.resize(spec_.gated_mlp ? mlp_.size() : 0);
  normed_mlp_.resize(spec_.parallel_residual ? m * hidden : 0);
  output_.resize(spec_.sandwich_norms ? m * hidden : 0);
  for (int i = 0; i < spec_.num_layers; ++i) {
    const PackedLayer& layer = weights_.layers[static_cast<size_t>(i)];
    normalise(layer.attention_norm, m_, x_.data(), normed_.data());
    if (spec_.parallel_residual) {
      normalise(layer.mlp_norm, m_, x_.data(), normed_mlp_.data());
    }
    attention_block(layer, i, rows);
    if (!spec_.parallel_residual) {
      normalise(layer.mlp_norm, m_, x_.data(), normed_.data());
    }
    mlp_block(layer, i, spec_.parallel_residual ? normed_mlp_.data() : normed_.data());
  }
  head(rows, logits);
  if (settler_) {
    settler_->settle();
    if (settler_->settled()) {
      settler_.reset();
    }
  }
}

}  // namespace slipway::engine
