#include "model/decoder_names.h"

#include <array>
#include <fmt/format.h>
#include <string_view>

namespace slipway::model {
namespace {

// {} is the layer. The canonical names are Llama's in Hugging Face files, which Mistral, Qwen and Gemma share; Phi-3
// has them with two fusions. An empty name: the layout has no such tensor.
struct NameRow {
  std::string_view canonical;
  std::string_view neox;
  std::string_view gpt2;
  std::string_view gguf;
};
constexpr std::array<NameRow, 19> kNames = {{
    {"model.embed_tokens", "gpt_neox.embed_in", "transformer.wte", "token_embd"},
    {"model.embed_positions", "", "transformer.wpe", "position_embd"},
    {"model.layers.{}.input_layernorm", "gpt_neox.layers.{}.input_layernorm", "transformer.h.{}.ln_1",
     "blk.{}.attn_norm"},
    {"model.layers.{}.self_attn.q_proj", "", "", "blk.{}.attn_q"},
    {"model.layers.{}.self_attn.k_proj", "", "", "blk.{}.attn_k"},
    {"model.layers.{}.self_attn.v_proj", "", "", "blk.{}.attn_v"},
    {"model.layers.{}.self_attn.qkv_proj", "gpt_neox.layers.{}.attention.query_key_value",
     "transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv"},
    {"model.layers.{}.self_attn.q_norm", "", "", "blk.{}.attn_q_norm"},
    {"model.layers.{}.self_attn.k_norm", "", "", "blk.{}.attn_k_norm"},
    {"model.layers.{}.self_attn.o_proj", "gpt_neox.layers.{}.attention.dense", "transformer.h.{}.attn.c_proj",
     "blk.{}.attn_output"},
    {"model.layers.{}.post_attention_layernorm", "gpt_neox.layers.{}.post_attention_layernorm", "transformer.h.{}.ln_2",
     "blk.{}.ffn_norm"},
    {"model.layers.{}.pre_feedforward_layernorm", "", "", "blk.{}.ffn_norm"},
    {"model.layers.{}.post_feedforward_layernorm", "", "", "blk.{}.post_ffw_norm"},
    {"model.layers.{}.mlp.gate_proj", "", "", "blk.{}.ffn_gate"},
    {"model.layers.{}.mlp.up_proj", "gpt_neox.layers.{}.mlp.dense_h_to_4h", "transformer.h.{}.mlp.c_fc",
     "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.gate_up_proj", "", "", "blk.{}.ffn_up"},
    {"model.layers.{}.mlp.down_proj", "gpt_neox.layers.{}.mlp.dense_4h_to_h", "transformer.h.{}.mlp.c_proj",
     "blk.{}.ffn_down"},
    {"model.norm", "gpt_neox.final_layer_norm", "transformer.ln_f", "output_norm"},
    {"lm_head", "embed_out", "lm_head", "output"},
}};
// Gemma's norm on the attention's output, which other GGUF files have no name for.
constexpr std::string_view kGgufPostAttentionNorm = "blk.{}.post_attention_norm";

std::string_view spelled(const DecoderSpec& spec, FileNaming naming, std::string_view canonical) {
  if (naming == FileNaming::kGguf && spec.sandwich_norms && canonical.ends_with("post_attention_layernorm")) {
    return kGgufPostAttentionNorm;
  }
  for (const NameRow& row : kNames) {
    if (row.canonical == canonical) {
      if (naming == FileNaming::kGguf) {
        return row.gguf;
      }
      return spec.family == DecoderFamily::kGptNeoX ? row.neox
             : spec.family == DecoderFamily::kGpt2  ? row.gpt2
                                                    : row.canonical;
    }
  }
  return {};
}

std::string with_layer(std::string_view pattern, int layer) {
  const size_t at = pattern.find("{}");
  return at == std::string_view::npos ? std::string(pattern)
                                      : fmt::format("{}{}{}", pattern.substr(0, at), layer, pattern.substr(at + 2));
}

class List {
 public:
  explicit List(std::vector<DecoderTensor>& out) : out_(out) {}
  void set_layer(int layer) { layer_ = layer; }
  void add(std::string_view pattern, DecoderRole role, std::vector<int64_t> shape, bool bias) {
    const int64_t rows = shape.front();
    const std::string stem = with_layer(pattern, layer_);
    out_.push_back({stem + ".weight", std::move(shape), role, layer_, false});
    if (bias) {
      out_.push_back({stem + ".bias", {rows}, role, layer_, true});
    }
  }

 private:
  std::vector<DecoderTensor>& out_;
  int layer_ = -1;
};

// The canonical pattern back from a name: "model.layers.3.mlp.up_proj.weight" -> "model.layers.{}.mlp.up_proj".
std::string pattern_of(const DecoderTensor& tensor) {
  std::string stem = tensor.name.substr(0, tensor.name.rfind('.'));
  if (tensor.layer >= 0) {
    constexpr std::string_view kStart = "model.layers.";
    const size_t end = stem.find('.', kStart.size());
    stem = fmt::format("{}{{}}{}", kStart, stem.substr(end));
  }
  return stem;
}

void add_spellings(std::vector<FileSpelling>& out, const DecoderSpec& spec, FileNaming naming,
                   const DecoderTensor& tensor, std::string_view canonical, Fusion fusion) {
  const std::string_view pattern = spelled(spec, naming, canonical);
  if (pattern.empty()) {
    return;
  }
  const std::string name = with_layer(pattern, tensor.layer) + (tensor.is_bias ? ".bias" : ".weight");
  out.push_back({name, fusion});
  if (naming == FileNaming::kGguf) {
    return;
  }
  // Checkpoints of the base model have no "transformer."; those with a vision model put the language model deeper.
  if (name.starts_with("transformer.")) {
    out.push_back({name.substr(12), fusion});
  } else if (spec.family == DecoderFamily::kGemma3) {
    out.push_back({"language_model." + name, fusion});
    if (name.starts_with("model.")) {
      out.push_back({"model.language_model." + name.substr(6), fusion});
    }
  }
}

}  // namespace

std::vector<DecoderTensor> decoder_tensors(const DecoderSpec& spec) {
  std::vector<DecoderTensor> out;
  List list(out);
  const int64_t hidden = spec.hidden_size;
  const int64_t queries = int64_t{spec.num_heads} * spec.head_dim;
  const int64_t keys = int64_t{spec.num_kv_heads} * spec.head_dim;
  const int64_t intermediate = spec.intermediate_size;
  const bool norm_bias = spec.norm == NormKind::kLayer;
  list.add("model.embed_tokens", DecoderRole::kEmbedding, {spec.vocab_size, hidden}, false);
  if (spec.learned_positions) {
    list.add("model.embed_positions", DecoderRole::kPositions, {spec.max_positions, hidden}, false);
  }
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    list.set_layer(layer);
    list.add("model.layers.{}.input_layernorm", DecoderRole::kNorm, {hidden}, norm_bias);
    list.add("model.layers.{}.self_attn.q_proj", DecoderRole::kQuery, {queries, hidden}, spec.qkv_bias);
    list.add("model.layers.{}.self_attn.k_proj", DecoderRole::kKey, {keys, hidden}, spec.qkv_bias);
    list.add("model.layers.{}.self_attn.v_proj", DecoderRole::kValue, {keys, hidden}, spec.qkv_bias);
    if (spec.qk_norm) {
      list.add("model.layers.{}.self_attn.q_norm", DecoderRole::kHeadNorm, {spec.head_dim}, false);
      list.add("model.layers.{}.self_attn.k_norm", DecoderRole::kHeadNorm, {spec.head_dim}, false);
    }
    list.add("model.layers.{}.self_attn.o_proj", DecoderRole::kLinear, {hidden, queries}, spec.output_bias);
    list.add("model.layers.{}.post_attention_layernorm", DecoderRole::kNorm, {hidden}, norm_bias);
    if (spec.sandwich_norms) {
      list.add("model.layers.{}.pre_feedforward_layernorm", DecoderRole::kNorm, {hidden}, norm_bias);
    }
    if (spec.gated_mlp) {
      list.add("model.layers.{}.mlp.gate_proj", DecoderRole::kGate, {intermediate, hidden}, spec.mlp_bias);
    }
    list.add("model.layers.{}.mlp.up_proj", DecoderRole::kUp, {intermediate, hidden}, spec.mlp_bias);
    list.add("model.layers.{}.mlp.down_proj", DecoderRole::kLinear, {hidden, intermediate}, spec.mlp_bias);
    if (spec.sandwich_norms) {
      list.add("model.layers.{}.post_feedforward_layernorm", DecoderRole::kNorm, {hidden}, norm_bias);
    }
  }
  list.set_layer(-1);
  list.add("model.norm", DecoderRole::kNorm, {hidden}, norm_bias);
  if (!spec.tied_embeddings) {
    list.add("lm_head", DecoderRole::kLmHead, {spec.vocab_size, hidden}, false);
  }
  return out;
}

std::vector<FileSpelling> file_spellings(const DecoderSpec& spec, FileNaming naming, const DecoderTensor& tensor) {
  std::vector<FileSpelling> out;
  add_spellings(out, spec, naming, tensor, pattern_of(tensor), Fusion::kNone);
  if (tensor.role == DecoderRole::kQuery || tensor.role == DecoderRole::kKey || tensor.role == DecoderRole::kValue) {
    add_spellings(out, spec, naming, tensor, "model.layers.{}.self_attn.qkv_proj", Fusion::kQkv);
  }
  if (spec.family == DecoderFamily::kPhi3 && (tensor.role == DecoderRole::kGate || tensor.role == DecoderRole::kUp)) {
    // GGUF calls the fused tensor as it calls `up` alone: of Phi-3 it is always the fused one.
    out.clear();
    add_spellings(out, spec, naming, tensor, "model.layers.{}.mlp.gate_up_proj", Fusion::kGateUp);
  }
  return out;
}

}  // namespace slipway::model
