#include "engine/packed_decoder.h"

#include <fmt/format.h>

#include "engine/packer.h"

namespace slipway::engine {
namespace {

PackedLayer pack_layer(Packer& packer, const model::DecoderSpec& spec, int index) {
  const std::string at = fmt::format("model.layers.{}.", index);
  PackedLayer layer;
  layer.attention_norm = packer.norm(at + "input_layernorm", spec.norm);
  layer.q = packer.linear(at + "self_attn.q_proj");
  layer.k = packer.linear(at + "self_attn.k_proj");
  layer.v = packer.linear(at + "self_attn.v_proj");
  if (spec.qk_norm) {
    layer.q_norm = packer.norm(at + "self_attn.q_norm", model::NormKind::kRms);
    layer.k_norm = packer.norm(at + "self_attn.k_norm", model::NormKind::kRms);
  }
  layer.o = packer.linear(at + "self_attn.o_proj");
  const char* const before_mlp = spec.sandwich_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  layer.mlp_norm = packer.norm(at + before_mlp, spec.norm);
  if (spec.sandwich_norms) {
    layer.attention_output_norm = packer.norm(at + "post_attention_layernorm", spec.norm);
    layer.mlp_output_norm = packer.norm(at + "post_feedforward_layernorm", spec.norm);
  }
  if (spec.gated_mlp) {
    layer.gate = packer.linear(at + "mlp.gate_proj");
  }
  layer.up = packer.linear(at + "mlp.up_proj");
  layer.down = packer.linear(at + "mlp.down_proj");
  return layer;
}

}  // namespace

std::vector<kernels::PackedBlocks*> PackedDecoder::products() {
  std::vector<kernels::PackedBlocks*> all;
  for (PackedLayer& layer : layers) {
    for (PackedLinear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      if (!linear->w.empty()) {
        all.push_back(&linear->w);
      }
    }
  }
  all.push_back(&head.w);
  return all;
}

void PackedDecoder::embed(int32_t id, std::span<float> out) const {
  if (keeps_alive == nullptr) {
    head.w.row(id, out.data());
    return;
  }
  read_row(embeddings.view, keeps_alive->source().source(), id, out);
}

PackedDecoder pack_decoder(const model::OpenedDecoder& opened, base::Isa isa, const std::string& weight_type,
                           base::Pool& pool, const PackedCache* cache) {
  const model::DecoderSpec& spec = opened.spec;
  Packer packer(*opened.weights, isa, weight_type, pool, cache);
  PackedDecoder out;
  for (int i = 0; i < spec.num_layers; ++i) {
    out.layers.push_back(pack_layer(packer, spec, i));
  }
  out.final_norm = packer.norm("model.norm", spec.norm);
  out.head = packer.linear("lm_head");
  if (spec.learned_positions) {
    out.positions = opened.weights->read_f32("model.embed_positions.weight");
  }
  if (!spec.tied_embeddings) {
    out.embeddings = opened.weights->load("model.embed_tokens.weight");
    out.keeps_alive = opened.weights;
  }
  out.bytes = packer.bytes();
  out.weight_type = packer.main_type();
  out.matrices = packer.matrices();
  out.from_cache = packer.all_cached();
  out.costly_bytes = packer.costly_bytes();
  return out;
}

}  // namespace slipway::engine
