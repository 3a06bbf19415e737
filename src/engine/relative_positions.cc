#include "engine/relative_positions.h"

#include <algorithm>
#include <cmath>

#include "model/seq2seq_spec.h"

namespace slipway::engine {
namespace {

constexpr int kMaxDistance = 128;  // MPNet's: all beyond share the last bucket
// Far below any score, far from overflow when scaled: its exponential is 0 beside any score that counts.
constexpr float kUnseen = -1e9F;

int64_t aligned(int64_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace

int deberta_bucket(int distance, int buckets, int max_relative) {
  const int middle = buckets / 2;
  if (buckets <= 0 || std::abs(distance) <= middle) {
    return distance;
  }
  const float away = static_cast<float>(std::abs(distance)) / static_cast<float>(middle);
  const float most = static_cast<float>(max_relative - 1) / static_cast<float>(middle);
  const float octave = std::ceil(std::log(away) / std::log(most) * static_cast<float>(middle - 1));
  const int bucket = static_cast<int>(octave) + middle;
  return distance > 0 ? bucket : -bucket;
}

DistanceBias::DistanceBias(std::span<const float> table, int buckets, int heads, int tokens, float scale)
    : tokens_(tokens), head_stride_(2 * int64_t{tokens} - 1) {
  values_.resize(static_cast<size_t>(heads * head_stride_));
  for (int distance = 1 - tokens; distance < tokens; ++distance) {
    const auto row =
        static_cast<size_t>(model::relative_bucket(distance, true, buckets, kMaxDistance)) * static_cast<size_t>(heads);
    for (int h = 0; h < heads; ++h) {
      values_[static_cast<size_t>(h * head_stride_ + distance + tokens - 1)] =
          table[row + static_cast<size_t>(h)] / scale;
    }
  }
}

DistanceBias DistanceBias::window(int window, int tokens) {
  DistanceBias bias;
  bias.tokens_ = tokens;
  bias.values_.resize(2 * static_cast<size_t>(tokens) - 1, kUnseen);
  const int seen = std::min(window, tokens - 1);
  std::fill_n(bias.values_.begin() + tokens - 1 - seen, 2 * seen + 1, 0.0F);
  return bias;
}

void DistanceBias::apply(kernels::AttentionArgs& args, int shift) const noexcept {
  args.bias = values_.data() + tokens_ - 1 - shift;
  args.ld_bias = -1;
  args.head_bias = head_stride_;
}

DistanceBuckets::DistanceBuckets(int span, int buckets, int max_relative, int tokens)
    : rows_(2 * span), tokens_(tokens), rows_of_(2 * static_cast<size_t>(tokens) - 1) {
  for (int distance = 1 - tokens; distance < tokens; ++distance) {
    const int row = deberta_bucket(distance, buckets, max_relative) + span;
    rows_of_[static_cast<size_t>(distance + tokens - 1)] = std::clamp(row, 0, rows_ - 1);
  }
}

int64_t disentangled_scratch(base::Isa isa, int length, int head_dim, int rows) noexcept {
  return aligned(kernels::attention_scratch(isa, length, head_dim)) + aligned(int64_t{length} * length) +
         int64_t{length} * rows;
}

void disentangled_attention(base::Isa isa, kernels::AttentionArgs args, const PositionProjections& positions,
                            const DistanceBuckets& buckets, float* scratch) {
  const int length = args.length;
  float* const bias = scratch + aligned(kernels::attention_scratch(isa, length, args.head_dim));
  float* const products = bias + aligned(int64_t{length} * length);
  const int64_t rows = buckets.rows();
  const int32_t* const at = buckets.at();
  const int terms = 1 + (positions.keys.empty() ? 0 : 1) + (positions.queries.empty() ? 0 : 1);
  args.scale = 1.0F / std::sqrt(static_cast<float>(args.head_dim * terms));
  args.bias = bias;
  args.ld_bias = length;
  args.head_bias = 0;  // a head at a time
  const int end = args.first_head + args.heads;
  args.heads = 1;
  for (int h = args.first_head; h < end; ++h) {
    args.first_head = h;
    const int64_t column = static_cast<int64_t>(h) * args.head_dim;
    std::fill_n(bias, static_cast<int64_t>(args.rows) * length, 0.0F);
    if (!positions.keys.empty()) {
      kernels::gemm_f32(args.rows, args.q + column, args.ld, positions.keys[static_cast<size_t>(h)], {}, products, rows,
                        nullptr);
      for (int i = 0; i < args.rows; ++i) {
        for (int j = 0; j < length; ++j) {
          bias[int64_t{i} * length + j] += products[i * rows + at[i - j]];
        }
      }
    }
    if (!positions.queries.empty()) {
      kernels::gemm_f32(length, args.k + column, args.ld, positions.queries[static_cast<size_t>(h)], {}, products, rows,
                        nullptr);
      for (int i = 0; i < args.rows; ++i) {
        for (int j = 0; j < length; ++j) {
          bias[int64_t{i} * length + j] += products[j * rows + at[i - j]];
        }
      }
    }
    kernels::attention(isa, args, scratch);
  }
}

void window_attention(base::Isa isa, const kernels::AttentionArgs& args, int window, const DistanceBias& bias,
                      float* scratch) {
  if (args.length <= window + 1) {
    kernels::attention(isa, args, scratch);
    return;
  }
  for (int first = 0; first < args.rows; first += kWindowRows) {
    const int last = std::min(first + kWindowRows, args.rows);
    const int begin = std::max(0, first - window);
    const int end = std::min(args.length, last + window);
    kernels::AttentionArgs part = args;
    part.rows = last - first;
    part.q = args.q + first * args.ld;
    part.out = args.out + first * args.ld_out;
    part.k = args.k + begin * args.ld;
    part.v = args.v + begin * args.ld;
    part.length = end - begin;
    bias.apply(part, first - begin);
    kernels::attention(isa, part, scratch);
  }
}

}  // namespace slipway::engine
