#include "model/seq2seq_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <string_view>

#include "base/error.h"
#include "model/decoder_limits.h"
#include "model/seq2seq_families.h"

namespace slipway::model {
namespace {

using base::Json;

struct FamilyRow {
  const char* model_type;
  Seq2SeqFamily family;
  const char* head;  // the class whose weights have a language model's head
  void (*read)(Seq2SeqSpec&, const ConfigReader&);
};
constexpr std::array<FamilyRow, 6> kFamilies = {{
    {"t5", Seq2SeqFamily::kT5, "T5ForConditionalGeneration", read_t5},
    {"mt5", Seq2SeqFamily::kMt5, "MT5ForConditionalGeneration", read_t5},
    {"bart", Seq2SeqFamily::kBart, "BartForConditionalGeneration", read_bart},
    {"mbart", Seq2SeqFamily::kMBart, "MBartForConditionalGeneration", read_bart},
    {"marian", Seq2SeqFamily::kMarian, "MarianMTModel", read_marian},
    {"m2m_100", Seq2SeqFamily::kM2M100, "M2M100ForConditionalGeneration", read_m2m100},
}};

const FamilyRow* find_family(const Json& config) noexcept {
  const auto type = config.is_object() ? config.find("model_type") : config.end();
  if (!config.is_object() || type == config.end() || !type->is_string()) {
    return nullptr;
  }
  const auto* row = std::find_if(kFamilies.begin(), kFamilies.end(), [&](const FamilyRow& one) {
    return type->get_ref<const std::string&>() == one.model_type;
  });
  return row == kFamilies.end() ? nullptr : row;
}

}  // namespace

const char* family_name(Seq2SeqFamily family) noexcept { return kFamilies[static_cast<size_t>(family)].model_type; }

bool is_seq2seq_config(const Json& config) noexcept {
  const FamilyRow* row = find_family(config);
  if (row == nullptr) {
    return false;
  }
  const auto it = config.find("architectures");
  if (it == config.end() || !it->is_array() || it->empty()) {
    return true;
  }
  return std::any_of(it->begin(), it->end(), [&](const Json& one) { return one == row->head; }) ||
         std::any_of(it->begin(), it->end(), [&](const Json& one) {
           return one.is_string() && one.get_ref<const std::string&>().ends_with("Model");
         });
}

Seq2SeqSpec seq2seq_spec_from_config(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  const FamilyRow* row = find_family(json);
  if (row == nullptr) {
    config.fail(
        fmt::format("'model_type' is '{}'; supported encoder-decoders: t5, mt5, bart, mbart, marian, m2m_100 (NLLB)",
                    json.is_object() ? config.text_or("model_type", "") : ""));
  }
  Seq2SeqSpec spec;
  spec.family = row->family;
  row->read(spec, config);
  check_seq2seq_spec(spec, source);
  return spec;
}

void check_seq2seq_spec(const Seq2SeqSpec& spec, const std::string& source) {
  const auto between = [&](int value, int low, int high, const char* name) {
    if (value < low || value > high) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: '{}' is {}; it must be between {} and {}", source, name, value, low, high));
    }
  };
  between(spec.vocab_size, 1, kMaxVocab, "vocab_size");
  between(spec.decoder_vocab_size, 1, kMaxVocab, "decoder_vocab_size");
  between(spec.hidden_size, 4, kMaxHidden, "d_model");
  for (const Seq2SeqStack* stack : {&spec.encoder, &spec.decoder}) {
    between(stack->num_layers, 1, kMaxLayers, "layers");
    between(stack->num_heads, 1, kMaxHeads, "attention heads");
    between(stack->head_dim, 1, kMaxHeadDim, "dimensions of a head");
    between(stack->intermediate_size, 1, kMaxIntermediate, "ffn_dim");
  }
  if (spec.positions == Seq2SeqPositions::kRelativeBias) {
    // Fewer would make no exact bucket; the logarithm needs a longer distance than the exact ones.
    between(spec.relative_buckets, 4, 1 << 16, "relative_attention_num_buckets");
    between(spec.relative_max_distance, spec.relative_buckets / 2 + 1, 1 << 24, "relative_attention_max_distance");
  }
  between(spec.pad_id, -1, spec.decoder_vocab_size - 1, "pad_token_id");
  between(spec.bos_id, -1, spec.decoder_vocab_size - 1, "bos_token_id");
  between(spec.decoder_start_id, -1, spec.decoder_vocab_size - 1, "decoder_start_token_id");
  for (const int id : spec.eos_ids) {
    between(id, 0, spec.decoder_vocab_size - 1, "eos_token_id");
  }
}

int relative_bucket(int distance, bool bidirectional, int buckets, int max_distance) {
  int bucket = 0;
  if (bidirectional) {
    buckets /= 2;
    bucket = distance > 0 ? buckets : 0;
    distance = std::abs(distance);
  } else {
    distance = -std::min(distance, 0);
  }
  const int exact = buckets / 2;
  if (distance < exact) {
    return bucket + distance;
  }
  // In f32, as transformers computes it: the borders of buckets are whole numbers, which rounding could move.
  const float share = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(max_distance) / exact));
  const int far = exact + static_cast<int>(share * static_cast<float>(buckets - exact));
  return bucket + std::min(far, buckets - 1);
}

std::vector<float> sinusoidal_positions(Seq2SeqPositions kind, int positions, int hidden) {
  std::vector<float> table(static_cast<size_t>(positions) * static_cast<size_t>(hidden), 0.0F);
  const bool t2t = kind == Seq2SeqPositions::kSinusoidalT2T;
  const int half = t2t ? hidden / 2 : (hidden + 1) / 2;
  const float step = t2t ? -static_cast<float>(std::log(10000.0) / (half - 1)) : 0.0F;
  for (int p = 0; p < positions; ++p) {
    float* row = table.data() + static_cast<size_t>(p) * static_cast<size_t>(hidden);
    for (int i = 0; i < half; ++i) {
      // M2M100's angles are f32 in transformers, Marian's are not.
      const double angle = t2t ? static_cast<double>(static_cast<float>(p) * std::exp(static_cast<float>(i) * step))
                               : p / std::pow(10000.0, 2.0 * i / hidden);
      row[i] = static_cast<float>(std::sin(angle));
      if (half + i < hidden) {
        row[half + i] = static_cast<float>(std::cos(angle));
      }
    }
  }
  return table;
}

}  // namespace slipway::model
