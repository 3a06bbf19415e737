#include "model/seq2seq_weights.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// @ is the half ("encoder", "decoder"), # the layer, % T5's index of the feed-forward part in a block: after
// self-attention and, in the decoder, cross-attention. Spellings are tried from left to right; an empty one ends them.
struct NameRow {
  std::string_view canonical;
  std::array<std::string_view, 2> bart;
  std::array<std::string_view, 2> t5;
};
constexpr std::array<NameRow, 20> kNames = {{
    {"@.embed_tokens", {"model.@.embed_tokens", "model.shared"}, {"shared", "@.embed_tokens"}},
    {"@.embed_positions", {"model.@.embed_positions"}, {}},
    {"@.relative_bias", {}, {"@.block.0.layer.0.SelfAttention.relative_attention_bias"}},
    {"@.embed_norm", {"model.@.layernorm_embedding"}, {}},
    {"@.layers.#.self_attn_norm", {"model.@.layers.#.self_attn_layer_norm"}, {"@.block.#.layer.0.layer_norm"}},
    {"@.layers.#.self_attn.q", {"model.@.layers.#.self_attn.q_proj"}, {"@.block.#.layer.0.SelfAttention.q"}},
    {"@.layers.#.self_attn.k", {"model.@.layers.#.self_attn.k_proj"}, {"@.block.#.layer.0.SelfAttention.k"}},
    {"@.layers.#.self_attn.v", {"model.@.layers.#.self_attn.v_proj"}, {"@.block.#.layer.0.SelfAttention.v"}},
    {"@.layers.#.self_attn.o", {"model.@.layers.#.self_attn.out_proj"}, {"@.block.#.layer.0.SelfAttention.o"}},
    {"@.layers.#.cross_attn_norm", {"model.@.layers.#.encoder_attn_layer_norm"}, {"@.block.#.layer.1.layer_norm"}},
    {"@.layers.#.cross_attn.q", {"model.@.layers.#.encoder_attn.q_proj"}, {"@.block.#.layer.1.EncDecAttention.q"}},
    {"@.layers.#.cross_attn.k", {"model.@.layers.#.encoder_attn.k_proj"}, {"@.block.#.layer.1.EncDecAttention.k"}},
    {"@.layers.#.cross_attn.v", {"model.@.layers.#.encoder_attn.v_proj"}, {"@.block.#.layer.1.EncDecAttention.v"}},
    {"@.layers.#.cross_attn.o", {"model.@.layers.#.encoder_attn.out_proj"}, {"@.block.#.layer.1.EncDecAttention.o"}},
    {"@.layers.#.mlp_norm", {"model.@.layers.#.final_layer_norm"}, {"@.block.#.layer.%.layer_norm"}},
    {"@.layers.#.mlp.gate", {}, {"@.block.#.layer.%.DenseReluDense.wi_0"}},
    {"@.layers.#.mlp.up",
     {"model.@.layers.#.fc1"},
     {"@.block.#.layer.%.DenseReluDense.wi", "@.block.#.layer.%.DenseReluDense.wi_1"}},
    {"@.layers.#.mlp.down", {"model.@.layers.#.fc2"}, {"@.block.#.layer.%.DenseReluDense.wo"}},
    {"@.final_norm", {"model.@.layer_norm"}, {"@.final_layer_norm"}},
    {"lm_head", {"lm_head"}, {"lm_head"}},
}};

std::string filled(std::string_view pattern, std::string_view half, int layer) {
  std::string out;
  for (const char c : pattern) {
    switch (c) {
      case '@': out += half; break;
      case '#': out += std::to_string(layer); break;
      case '%': out += half == "encoder" ? '1' : '2'; break;
      default: out += c;
    }
  }
  return out;
}

class Finder {
 public:
  Finder(const Seq2SeqSpec& spec, const TensorSource& source, std::map<std::string, const TensorView*>& places)
      : spec_(spec), source_(source), places_(places) {}

  void half(std::string_view name, const Seq2SeqStack& stack, int vocab) {
    half_ = name;
    const int64_t hidden = spec_.hidden_size;
    need("@.embed_tokens", {vocab, hidden}, false);
    if (spec_.positions == Seq2SeqPositions::kLearned) {
      need("@.embed_positions", {int64_t{spec_.position_offset} + spec_.max_positions, hidden}, false);
    } else if (spec_.positions == Seq2SeqPositions::kRelativeBias) {
      need("@.relative_bias", {spec_.relative_buckets, stack.num_heads}, false);
    }
    if (spec_.embedding_norm) {
      norm("@.embed_norm");
    }
    for (layer_ = 0; layer_ < stack.num_layers; ++layer_) {
      attention("self_attn", stack);
      if (half_ == "decoder") {
        attention("cross_attn", stack);
      }
      norm("@.layers.#.mlp_norm");
      if (spec_.gated_mlp) {
        need("@.layers.#.mlp.gate", {stack.intermediate_size, hidden}, spec_.biases);
      }
      need("@.layers.#.mlp.up", {stack.intermediate_size, hidden}, spec_.biases);
      need("@.layers.#.mlp.down", {hidden, stack.intermediate_size}, spec_.biases);
    }
    if (spec_.final_norm) {
      norm("@.final_norm");
    }
  }

  void head() {
    const std::vector<int64_t> shape = {spec_.decoder_vocab_size, spec_.hidden_size};
    const TensorView* found = find(row("lm_head"), ".weight", shape);
    places_["lm_head.weight"] = found != nullptr ? found : places_.at("decoder.embed_tokens.weight");
    if (spec_.logits_bias) {
      if (const TensorView* bias = source_.find("final_logits_bias"); bias != nullptr) {
        check(*bias, {1, spec_.decoder_vocab_size});
        places_["lm_head.bias"] = bias;
      }
    }
  }

 private:
  void attention(std::string_view kind, const Seq2SeqStack& stack) {
    const int64_t hidden = spec_.hidden_size;
    const int64_t width = int64_t{stack.num_heads} * stack.head_dim;
    norm(fmt::format("@.layers.#.{}_norm", kind));
    for (const char* part : {"q", "k", "v"}) {
      need(fmt::format("@.layers.#.{}.{}", kind, part), {width, hidden}, spec_.biases);
    }
    need(fmt::format("@.layers.#.{}.o", kind), {hidden, width}, spec_.biases);
  }

  void norm(std::string_view canonical) { need(canonical, {spec_.hidden_size}, spec_.norm == NormKind::kLayer); }

  static const NameRow& row(std::string_view canonical) {
    const auto* found =
        std::find_if(kNames.begin(), kNames.end(), [&](const NameRow& one) { return one.canonical == canonical; });
    SLIPWAY_CHECK(found != kNames.end());
    return *found;
  }

  const std::array<std::string_view, 2>& spellings(const NameRow& row) const {
    const bool t5 = spec_.family == Seq2SeqFamily::kT5 || spec_.family == Seq2SeqFamily::kMt5;
    return t5 ? row.t5 : row.bart;
  }

  // Null when the file has none of the spellings. Checkpoints of a base model have no "model.".
  const TensorView* find(const NameRow& row, std::string_view suffix, const std::vector<int64_t>& shape) const {
    for (const std::string_view spelling : spellings(row)) {
      std::string name = filled(spelling, half_, layer_).append(suffix);
      const TensorView* found = spelling.empty() ? nullptr : source_.find(name);
      if (found == nullptr && name.starts_with("model.")) {
        found = source_.find(name.substr(6));
      }
      if (found != nullptr) {
        check(*found, shape);
        return found;
      }
    }
    return nullptr;
  }

  void need(std::string_view canonical, const std::vector<int64_t>& shape, bool bias) {
    const NameRow& names = row(canonical);
    const auto add = [&](std::string_view suffix, const std::vector<int64_t>& wanted) {
      const TensorView* found = find(names, suffix, wanted);
      if (found == nullptr) {
        throw Error(Code::kIntegrity, fmt::format("{}: there is no tensor '{}{}'", source_.source(),
                                                  filled(spellings(names).front(), half_, layer_), suffix));
      }
      places_[filled(canonical, half_, layer_).append(suffix)] = found;
    };
    add(".weight", shape);
    if (bias) {
      add(".bias", {shape.front()});
    }
  }

  void check(const TensorView& tensor, const std::vector<int64_t>& shape) const {
    if (tensor.shape != shape) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' has the shape [{}], the configuration needs [{}]", source_.source(),
                              tensor.name, fmt::join(tensor.shape, ", "), fmt::join(shape, ", ")));
    }
    if (!dtype_is_float(tensor.dtype) || (dtype_block(tensor.dtype) != 1 && shape.size() != 2)) {
      throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' is {}, which weights cannot be here", source_.source(),
                                                tensor.name, dtype_name(tensor.dtype)));
    }
  }

  const Seq2SeqSpec& spec_;
  const TensorSource& source_;
  std::map<std::string, const TensorView*>& places_;
  std::string_view half_;
  int layer_ = 0;
};

}  // namespace

Seq2SeqWeights::Seq2SeqWeights(const Seq2SeqSpec& spec, std::shared_ptr<const TensorSource> source)
    : source_(std::move(source)) {
  check_seq2seq_spec(spec, source_->source());
  Finder finder(spec, *source_, places_);
  finder.half("encoder", spec.encoder, spec.vocab_size);
  finder.half("decoder", spec.decoder, spec.decoder_vocab_size);
  finder.head();
}

LoadedTensor Seq2SeqWeights::load(const std::string& name) const {
  const auto it = places_.find(name);
  if (it == places_.end()) {
    throw Error(Code::kInvalid, fmt::format("{}: the model has no tensor '{}'", source_->source(), name));
  }
  return {*it->second, nullptr};
}

int64_t Seq2SeqWeights::parameters() const {
  std::set<const TensorView*> seen;
  int64_t count = 0;
  for (const auto& [name, tensor] : places_) {
    count += seen.insert(tensor).second ? tensor->count() : 0;
  }
  return count;
}

}  // namespace slipway::model
