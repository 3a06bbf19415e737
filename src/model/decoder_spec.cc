#include "model/decoder_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

#include "base/error.h"
#include "model/decoder_limits.h"

namespace slipway::model {
namespace {

constexpr std::array<const char*, 8> kFamilies = {"llama",    "qwen2", "qwen3",  "gpt2",
                                                  "gpt_neox", "phi3",  "gemma2", "gemma3_text"};

class Checker {
 public:
  explicit Checker(const std::string& source) : source_(source) {}
  void between(int value, int low, int high, const char* name) const {
    if (value < low || value > high) {
      fail(fmt::format("'{}' is {}; it must be between {} and {}", name, value, low, high));
    }
  }
  void holds(bool condition, const std::string& what) const {
    if (!condition) {
      fail(what);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: {}", source_, what));
  }
  const std::string& source_;
};

void check_rope(const RopeSpec& rope, int head_dim, const Checker& check) {
  check.between(rope.rotary_dim, 0, head_dim, "rotary dimensions");
  check.holds(rope.rotary_dim % 2 == 0, fmt::format("rotary dimensions must be even, not {}", rope.rotary_dim));
  check.holds(rope.theta >= 1 && rope.theta <= kMaxRopeTheta, fmt::format("'rope_theta' is {}", rope.theta));
  check.holds(rope.factor > 0 && rope.factor <= kMaxRopeFactor,
              fmt::format("rope scaling 'factor' is {}", rope.factor));
  check.holds(std::isfinite(rope.attention_factor) && rope.attention_factor > 0,
              "rope 'attention_factor' must be positive");
  const auto pairs = static_cast<size_t>(rope.rotary_dim / 2);
  const bool listed = rope.scaling == RopeScaling::kFactors || rope.scaling == RopeScaling::kLongRope;
  check.holds(!listed || rope.factors.size() == pairs,
              fmt::format("rope scaling needs {} factors, there are {}", pairs, rope.factors.size()));
  check.holds(rope.scaling != RopeScaling::kLongRope || rope.long_factors.size() == pairs,
              fmt::format("rope scaling needs {} long factors, there are {}", pairs, rope.long_factors.size()));
  for (const auto* factors : {&rope.factors, &rope.long_factors}) {
    check.holds(
        std::all_of(factors->begin(), factors->end(), [](float one) { return one > 0 && one <= kMaxRopeFactor; }),
        "a rope factor is not positive");
  }
  const bool needs_original = rope.scaling == RopeScaling::kLlama3 || rope.scaling == RopeScaling::kLongRope ||
                              rope.scaling == RopeScaling::kYarn;
  check.holds(!needs_original || rope.original_max_positions >= 1,
              "rope scaling needs 'original_max_position_embeddings'");
  check.holds(rope.scaling != RopeScaling::kLlama3 ||
                  (rope.low_freq_factor > 0 && rope.high_freq_factor > rope.low_freq_factor),
              "rope scaling needs 0 < 'low_freq_factor' < 'high_freq_factor'");
  check.holds(rope.scaling != RopeScaling::kYarn || (rope.beta_slow > 0 && rope.beta_fast > rope.beta_slow),
              "rope scaling needs 0 < 'beta_slow' < 'beta_fast'");
}

// Llama 3.1: wavelengths above original / low are stretched by the factor, below original / high left, blended between.
double llama3_frequency(double frequency, const RopeSpec& rope) {
  const double turns = rope.original_max_positions * frequency / (2 * std::numbers::pi);
  const double kept =
      std::clamp((turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor), 0.0, 1.0);
  return (1 - kept) * frequency / rope.factor + kept * frequency;
}

// YaRN: dimensions that turn more than beta_fast times in the original length are left, less than beta_slow stretched.
std::vector<double> yarn_frequencies(std::vector<double> frequencies, const RopeSpec& rope) {
  const auto dimension_of = [&](double turns) {
    return rope.rotary_dim * std::log(rope.original_max_positions / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(rope.theta));
  };
  const double low = std::max(std::floor(dimension_of(rope.beta_fast)), 0.0);
  double high = std::min(std::ceil(dimension_of(rope.beta_slow)), rope.rotary_dim - 1.0);
  high = high == low ? high + 0.001 : high;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= stretched / rope.factor + (1 - stretched);
  }
  return frequencies;
}

}  // namespace

const char* family_name(DecoderFamily family) noexcept { return kFamilies[static_cast<size_t>(family)]; }

std::vector<double> rope_frequencies(const RopeSpec& rope, int sequence) {
  std::vector<double> frequencies(static_cast<size_t>(rope.rotary_dim / 2));
  const bool is_long = rope.scaling == RopeScaling::kLongRope && sequence > rope.original_max_positions;
  const std::vector<float>& factors = is_long ? rope.long_factors : rope.factors;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) / rope.rotary_dim);
    switch (rope.scaling) {
      case RopeScaling::kNone:
      case RopeScaling::kYarn: frequencies[i] = frequency; break;
      case RopeScaling::kLinear: frequencies[i] = frequency / rope.factor; break;
      case RopeScaling::kLlama3: frequencies[i] = llama3_frequency(frequency, rope); break;
      case RopeScaling::kFactors:
      case RopeScaling::kLongRope: frequencies[i] = frequency / factors.at(i); break;
    }
  }
  return rope.scaling == RopeScaling::kYarn ? yarn_frequencies(std::move(frequencies), rope) : frequencies;
}

int64_t DecoderSpec::parameter_count() const {
  const int64_t hidden = hidden_size;
  const int64_t queries = int64_t{num_heads} * head_dim;
  const int64_t keys = int64_t{num_kv_heads} * head_dim;
  const int64_t norm_size = norm == NormKind::kLayer ? 2 * hidden : hidden;
  int64_t layer = hidden * (2 * queries + 2 * keys) + hidden * intermediate_size * (gated_mlp ? 3 : 2);
  layer += (qkv_bias ? queries + 2 * keys : 0) + (output_bias ? hidden : 0);
  layer += mlp_bias ? int64_t{intermediate_size} * (gated_mlp ? 2 : 1) + hidden : 0;
  layer += norm_size * (sandwich_norms ? 4 : 2) + (qk_norm ? 2 * head_dim : 0);
  const int64_t embeddings = hidden * vocab_size * (tied_embeddings ? 1 : 2);
  return layer * num_layers + embeddings + norm_size + (learned_positions ? hidden * max_positions : 0);
}

int64_t DecoderSpec::kv_bytes_per_token(int bytes_per_value) const {
  return int64_t{2} * num_layers * num_kv_heads * head_dim * bytes_per_value;
}

void check_decoder_spec(const DecoderSpec& spec, const std::string& source) {
  const Checker check(source);
  check.between(spec.vocab_size, 1, kMaxVocab, "vocab_size");
  check.between(spec.hidden_size, 1, kMaxHidden, "hidden_size");
  check.between(spec.num_layers, 1, kMaxLayers, "num_hidden_layers");
  check.between(spec.num_heads, 1, kMaxHeads, "num_attention_heads");
  check.between(spec.num_kv_heads, 1, spec.num_heads, "num_key_value_heads");
  check.between(spec.head_dim, 1, kMaxHeadDim, "head_dim");
  check.between(spec.intermediate_size, 1, kMaxIntermediate, "intermediate_size");
  check.between(spec.max_positions, 1, kMaxPositions, "max_position_embeddings");
  check.holds(spec.num_heads % spec.num_kv_heads == 0,
              fmt::format("'num_attention_heads' {} is not a multiple of 'num_key_value_heads' {}", spec.num_heads,
                          spec.num_kv_heads));
  check.holds(spec.norm_eps > 0 && spec.norm_eps <= 1, "the norm's epsilon must be above 0 and at most 1");
  check.holds(std::isfinite(spec.attention_scale) && spec.attention_scale > 0,
              "the scale of attention scores must be positive");
  check.holds(std::isfinite(spec.attention_softcap) && spec.attention_softcap >= 0,
              "'attn_logit_softcapping' must be positive");
  check.holds(std::isfinite(spec.final_softcap) && spec.final_softcap >= 0,
              "'final_logit_softcapping' must be positive");
  check.holds(spec.layer_window.size() == static_cast<size_t>(spec.num_layers), "one window a layer is needed");
  for (const int window : spec.layer_window) {
    check.between(window, 0, kMaxPositions, "sliding_window");
  }
  check_rope(spec.rope, spec.head_dim, check);
  check_rope(spec.local_rope, spec.head_dim, check);
  check.between(spec.bos_id, -1, spec.vocab_size - 1, "bos_token_id");
  check.between(spec.pad_id, -1, spec.vocab_size - 1, "pad_token_id");
  for (const int id : spec.eos_ids) {
    check.between(id, 0, spec.vocab_size - 1, "eos_token_id");
  }
}

}  // namespace slipway::model
