#include "engine/seq2seq_model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"

namespace slipway::engine {
namespace {

kernels::KvLayout layout_of(const model::Seq2SeqStack& stack, int page_tokens) {
  return {.kv_heads = stack.num_heads,
          .head_dim = stack.head_dim,
          .page_tokens = page_tokens,
          .type = kernels::KvType::kF32};
}

int pages_of(int tokens, int page_tokens) { return (tokens + page_tokens - 1) / page_tokens; }

// Of one page, so that the next one is aligned too.
int64_t aligned_page(const kernels::KvLayout& layout) { return (layout.page_bytes() + 63) / 64 * 64; }

int64_t width_of(const model::Seq2SeqStack& stack) { return int64_t{stack.num_heads} * stack.head_dim; }

}  // namespace

int64_t Seq2SeqModel::page_bytes(const model::Seq2SeqSpec& spec) {
  return KvCache::bytes(layout_of(spec.decoder, kPageTokens), spec.decoder.num_layers, 1);
}

int64_t Seq2SeqModel::memory_bytes(const model::Seq2SeqSpec& spec, int length) {
  return 2 * int64_t{spec.decoder.num_layers} * pages_of(length, kMemoryPage) *
         aligned_page(layout_of(spec.decoder, kMemoryPage));
}

Seq2SeqModel::Seq2SeqModel(const model::OpenedSeq2Seq& opened, const Seq2SeqModelOptions& options, base::Pool& pool)
    : spec_(opened.spec),
      ops_(options.isa, pool),
      weights_(pack_seq2seq(opened, options.isa, options.weight_type, pool)),
      cache_(layout_of(spec_.decoder, kPageTokens), spec_.decoder.num_layers, options.pages) {}

float Seq2SeqModel::scale_of(const Seq2SeqHalf& half) const {
  return spec_.scaled_scores ? 1 / std::sqrt(static_cast<float>(half.shape.head_dim)) : 1.0F;
}

// Bias of every distance of a text of `length` tokens. It is constant beyond the last bucket, so that making it anew
// for a longer text changes no value.
void Seq2SeqModel::make_bias(const Seq2SeqHalf& half, bool bidirectional, int length, std::vector<float>& table,
                             int& reach) const {
  if (half.relative_bias.empty() || length <= reach) {
    return;
  }
  reach = std::max(length, 2 * reach);
  const int heads = half.shape.num_heads;
  const int columns = bidirectional ? 2 * reach - 1 : reach;
  table.assign(static_cast<size_t>(heads) * static_cast<size_t>(columns), 0.0F);
  for (int c = 0; c < columns; ++c) {
    const int bucket =
        model::relative_bucket(c - (reach - 1), bidirectional, spec_.relative_buckets, spec_.relative_max_distance);
    for (int h = 0; h < heads; ++h) {
      table[static_cast<size_t>(h) * static_cast<size_t>(columns) + static_cast<size_t>(c)] =
          half.relative_bias[static_cast<size_t>(bucket * heads + h)];
    }
  }
}

void Seq2SeqModel::embed(bool encoder, std::span<const int32_t> ids, std::span<const int> positions) {
  const Seq2SeqHalf& half = encoder ? weights_.encoder : weights_.decoder;
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  const int widest = std::max(spec_.encoder.intermediate_size, spec_.decoder.intermediate_size);
  const auto width = static_cast<size_t>(std::max(width_of(spec_.encoder), width_of(spec_.decoder)));
  m_ = static_cast<int>(ids.size());
  x_.resize(ids.size() * hidden);
  normed_.resize(ids.size() * hidden);
  qkv_.resize(ids.size() * 3 * width);
  attended_.resize(ids.size() * width);
  mlp_.resize(ids.size() * static_cast<size_t>(widest));
  mlp_up_.resize(spec_.gated_mlp ? mlp_.size() : 0);
  ops_.over_rows(m_, [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      const int32_t id = ids[static_cast<size_t>(r)];
      const std::span<float> row = std::span(x_).subspan(static_cast<size_t>(r) * hidden, hidden);
      weights_.embed(encoder, id, row);
      if (spec_.embedding_scale != 1) {
        kernels::scale(ops_.isa(), spec_.hidden_size, spec_.embedding_scale, row.data());
      }
      // M2M100's padding has no position.
      const bool placed = spec_.positions != model::Seq2SeqPositions::kSinusoidalT2T || id != spec_.pad_id;
      if (!half.positions.empty() && placed) {
        const auto at = static_cast<size_t>(spec_.position_offset + positions[static_cast<size_t>(r)]);
        kernels::add(ops_.isa(), spec_.hidden_size, half.positions.data() + at * hidden, row.data());
      }
    }
  });
  if (half.embed_norm.present()) {
    ops_.normalise(spec_.norm, spec_.norm_eps, half.embed_norm, m_, spec_.hidden_size, x_.data(), x_.data());
  }
}

const float* Seq2SeqModel::input_of(const PackedNorm& norm) {
  if (!spec_.pre_norm) {
    return x_.data();
  }
  ops_.normalise(spec_.norm, spec_.norm_eps, norm, m_, spec_.hidden_size, x_.data(), normed_.data());
  return normed_.data();
}

void Seq2SeqModel::add_output(const PackedLinear& linear, const float* y, const PackedNorm& norm) {
  const int64_t n = spec_.hidden_size;
  const kernels::BlockProduct product{
      .w = &linear.w,
      .y = x_.data(),
      .ldy = n,
      .epilogue = {.bias = linear.bias_or_null(), .residual = x_.data(), .ld_residual = n}};
  ops_.products(m_, y, linear.w.k(), {&product, 1});
  if (!spec_.pre_norm) {
    ops_.normalise(spec_.norm, spec_.norm_eps, norm, m_, spec_.hidden_size, x_.data(), x_.data());
  }
}

// Queries, keys and values of the pass's rows, whose places tell where they lie and what they see.
void Seq2SeqModel::attend_self(const Seq2SeqHalf& half, const Seq2SeqAttention& weights,
                               std::span<const kernels::CachedRows> places, const kernels::KvLayout& layout,
                               const float* bias, int64_t ld_bias) {
  const int64_t width = width_of(half.shape);
  const float* const input = input_of(weights.norm);
  const PackedLinear* const parts[] = {&weights.q, &weights.k, &weights.v};
  kernels::BlockProduct list[3];
  for (int i = 0; i < 3; ++i) {
    list[i] = {.w = &parts[i]->w,
               .y = qkv_.data() + i * width,
               .ldy = 3 * width,
               .epilogue = {.bias = parts[i]->bias_or_null()}};
  }
  ops_.products(m_, input, spec_.hidden_size, list);
  const kernels::CachedAttention args{.layout = layout,
                                      .heads = half.shape.num_heads,
                                      .scale = scale_of(half),
                                      .bias = bias,
                                      .ld_bias = ld_bias,
                                      .sequences = places};
  kernels::store_kv(ops_.isa(), args);
  kernels::attention_cached(ops_.isa(), args, &ops_.pool());
  add_output(weights.o, attended_.data(), weights.norm);
}

void Seq2SeqModel::mlp(const Seq2SeqLayer& layer) {
  ops_.mlp_inner(m_, input_of(layer.mlp_norm), spec_.hidden_size, layer.gate, layer.up, activation_of(spec_.activation),
                 mlp_.data(), mlp_up_.data());
  add_output(layer.down, mlp_.data(), layer.mlp_norm);
}

// Keys and values of decoder layer `index` over the encoder's states in x_, into the texts' memories.
void Seq2SeqModel::fill_memory(const Seq2SeqLayer& layer, int index,
                               std::span<const std::shared_ptr<Seq2SeqMemory>> memories) {
  const int64_t width = width_of(spec_.decoder);
  float* const keys = qkv_.data();
  float* const values = keys + width;
  const kernels::BlockProduct list[] = {
      {.w = &layer.cross.k.w, .y = keys, .ldy = 2 * width, .epilogue = {.bias = layer.cross.k.bias_or_null()}},
      {.w = &layer.cross.v.w, .y = values, .ldy = 2 * width, .epilogue = {.bias = layer.cross.v.bias_or_null()}}};
  ops_.products(m_, x_.data(), spec_.hidden_size, list);
  places_.clear();
  int64_t row = 0;
  for (const std::shared_ptr<Seq2SeqMemory>& memory : memories) {
    const int pages = pages_of(memory->length_, kMemoryPage);
    std::byte* const* const at = memory->pages_.data() + static_cast<size_t>(2 * index * pages);
    places_.push_back({.rows = memory->length_,
                       .k = keys + row * 2 * width,
                       .v = values + row * 2 * width,
                       .ldkv = 2 * width,
                       .k_pages = at,
                       .v_pages = at + pages});
    row += memory->length_;
  }
  kernels::store_kv(ops_.isa(), {.layout = layout_of(spec_.decoder, kMemoryPage),
                                 .heads = spec_.decoder.num_heads,
                                 .scale = 1,
                                 .sequences = places_});
}

std::vector<std::shared_ptr<const Seq2SeqMemory>> Seq2SeqModel::encode(std::span<const std::span<const int32_t>> texts,
                                                                       std::vector<float>* states) {
  std::vector<int32_t> ids;
  std::vector<int> positions;
  int longest = 0;
  int pages = 0;
  for (const std::span<const int32_t> text : texts) {
    const auto length = static_cast<int>(text.size());
    SLIPWAY_CHECK(length >= 1 && (spec_.max_positions == 0 || length <= spec_.max_positions));
    ids.insert(ids.end(), text.begin(), text.end());
    for (int i = 0; i < length; ++i) {
      positions.push_back(i);
    }
    longest = std::max(longest, length);
    pages += pages_of(length, kMemoryPage);
  }
  embed(true, ids, positions);
  make_bias(weights_.encoder, true, longest, encoder_bias_, encoder_reach_);
  const kernels::KvLayout layout = layout_of(spec_.encoder, kMemoryPage);
  const int64_t page_bytes = aligned_page(layout);
  std::byte* const memory = encoder_pages_.reserve(static_cast<size_t>(2 * pages * page_bytes));
  page_table_.clear();
  for (int i = 0; i < 2 * pages; ++i) {
    page_table_.push_back(memory + i * page_bytes);
  }
  const int64_t width = width_of(spec_.encoder);
  std::vector<kernels::CachedRows> places;
  int64_t row = 0;
  size_t page = 0;
  for (const std::span<const int32_t> text : texts) {
    const auto length = static_cast<int>(text.size());
    const float* const q = qkv_.data() + row * 3 * width;
    places.push_back({.rows = length,
                      .q = q,
                      .ldq = 3 * width,
                      .k = q + width,
                      .v = q + 2 * width,
                      .ldkv = 3 * width,
                      .out = attended_.data() + row * width,
                      .ld_out = width,
                      .k_pages = page_table_.data() + page,
                      .v_pages = page_table_.data() + static_cast<size_t>(pages) + page,
                      .memory = length});
    row += length;
    page += static_cast<size_t>(pages_of(length, kMemoryPage));
  }
  const float* const bias = encoder_bias_.empty() ? nullptr : encoder_bias_.data() + encoder_reach_ - 1;
  for (const Seq2SeqLayer& layer : weights_.encoder.layers) {
    attend_self(weights_.encoder, layer.self, places, layout, bias, 2 * int64_t{encoder_reach_} - 1);
    mlp(layer);
  }
  if (weights_.encoder.final_norm.present()) {
    ops_.normalise(spec_.norm, spec_.norm_eps, weights_.encoder.final_norm, m_, spec_.hidden_size, x_.data(),
                   x_.data());
  }
  if (states != nullptr) {
    *states = x_;
  }
  std::vector<std::shared_ptr<Seq2SeqMemory>> memories;
  const int64_t memory_page = aligned_page(layout_of(spec_.decoder, kMemoryPage));
  for (const std::span<const int32_t> text : texts) {
    auto one = std::make_shared<Seq2SeqMemory>();
    one->length_ = static_cast<int>(text.size());
    const int64_t bytes = memory_bytes(spec_, one->length_);
    one->bytes_ = kernels::aligned_array<std::byte>(static_cast<size_t>(bytes));
    for (int64_t at = 0; at < bytes; at += memory_page) {
      one->pages_.push_back(one->bytes_.get() + at);
    }
    memories.push_back(std::move(one));
  }
  for (int i = 0; i < spec_.decoder.num_layers; ++i) {
    fill_memory(weights_.decoder.layers[static_cast<size_t>(i)], i, memories);
  }
  return {memories.begin(), memories.end()};
}

void Seq2SeqModel::attend_memory(int index, std::span<const HypothesisRow> rows) {
  const Seq2SeqAttention& weights = weights_.decoder.layers[static_cast<size_t>(index)].cross;
  const int64_t width = width_of(spec_.decoder);
  const kernels::BlockProduct product{
      .w = &weights.q.w, .y = qkv_.data(), .ldy = width, .epilogue = {.bias = weights.q.bias_or_null()}};
  ops_.products(m_, input_of(weights.norm), spec_.hidden_size, {&product, 1});
  places_.clear();
  for (size_t first = 0; first < rows.size();) {
    size_t last = first + 1;
    while (last < rows.size() && rows[last].memory == rows[first].memory) {
      ++last;
    }
    const Seq2SeqMemory& memory = *rows[first].memory;
    const int pages = pages_of(memory.length_, kMemoryPage);
    std::byte* const* const at = memory.pages_.data() + static_cast<size_t>(2 * index * pages);
    places_.push_back({.rows = static_cast<int>(last - first),
                       .q = qkv_.data() + static_cast<int64_t>(first) * width,
                       .ldq = width,
                       .out = attended_.data() + static_cast<int64_t>(first) * width,
                       .ld_out = width,
                       .k_pages = at,
                       .v_pages = at + pages,
                       .memory = memory.length_});
    first = last;
  }
  kernels::attention_cached(ops_.isa(),
                            {.layout = layout_of(spec_.decoder, kMemoryPage),
                             .heads = spec_.decoder.num_heads,
                             .scale = scale_of(weights_.decoder),
                             .sequences = places_},
                            &ops_.pool());
  add_output(weights.o, attended_.data(), weights.norm);
}

void Seq2SeqModel::decode(std::span<const HypothesisRow> rows, std::vector<float>& logits) {
  std::vector<int32_t> ids;
  std::vector<int> positions;
  size_t pages = 0;
  int longest = 0;
  for (const HypothesisRow& row : rows) {
    ids.push_back(row.id);
    positions.push_back(row.position);
    longest = std::max(longest, row.position + 1);
    pages += row.pages.size();
  }
  SLIPWAY_CHECK(spec_.max_positions == 0 || longest <= spec_.max_positions);
  embed(false, ids, positions);
  make_bias(weights_.decoder, false, longest, decoder_bias_, decoder_reach_);
  const float* const bias = decoder_bias_.empty() ? nullptr : decoder_bias_.data() + decoder_reach_ - 1;
  const int64_t width = width_of(spec_.decoder);
  std::vector<kernels::CachedRows> places(rows.size());
  page_table_.resize(2 * pages);
  for (int i = 0; i < spec_.decoder.num_layers; ++i) {
    size_t at = 0;
    for (size_t r = 0; r < rows.size(); ++r) {
      std::byte** const keys = page_table_.data() + at;
      std::byte** const values = keys + pages;
      for (size_t p = 0; p < rows[r].pages.size(); ++p) {
        keys[p] = cache_.keys(i, rows[r].pages[p]);
        values[p] = cache_.values(i, rows[r].pages[p]);
      }
      const float* const q = qkv_.data() + static_cast<int64_t>(r) * 3 * width;
      places[r] = {.rows = 1,
                   .position = rows[r].position,
                   .q = q,
                   .ldq = 3 * width,
                   .k = q + width,
                   .v = q + 2 * width,
                   .ldkv = 3 * width,
                   .out = attended_.data() + static_cast<int64_t>(r) * width,
                   .ld_out = width,
                   .k_pages = keys,
                   .v_pages = values};
      at += rows[r].pages.size();
    }
    const Seq2SeqLayer& layer = weights_.decoder.layers[static_cast<size_t>(i)];
    attend_self(weights_.decoder, layer.self, places, cache_.layout(), bias, decoder_reach_);
    attend_memory(i, rows);
    mlp(layer);
  }
  if (weights_.decoder.final_norm.present()) {
    ops_.normalise(spec_.norm, spec_.norm_eps, weights_.decoder.final_norm, m_, spec_.hidden_size, x_.data(),
                   x_.data());
  }
  if (spec_.head_scale != 1) {
    kernels::scale(ops_.isa(), int64_t{m_} * spec_.hidden_size, spec_.head_scale, x_.data());
  }
  const int64_t vocab = spec_.decoder_vocab_size;
  logits.resize(rows.size() * static_cast<size_t>(vocab));
  const kernels::BlockProduct product{
      .w = &weights_.head.w, .y = logits.data(), .ldy = vocab, .epilogue = {.bias = weights_.head.bias_or_null()}};
  ops_.products(m_, x_.data(), spec_.hidden_size, {&product, 1});
}

void Seq2SeqModel::copy_page(int32_t from, int32_t to) {
  cache_.copy_page(from, to);
}

}  // namespace slipway::engine
