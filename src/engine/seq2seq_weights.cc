#include "engine/seq2seq_weights.h"

#include <fmt/format.h>

#include "engine/packer.h"

namespace slipway::engine {
namespace {

Seq2SeqAttention pack_attention(Packer& packer, const std::string& name, model::NormKind kind) {
  Seq2SeqAttention out;
  out.norm = packer.norm(name + "_norm", kind);
  out.q = packer.linear(name + ".q");
  out.k = packer.linear(name + ".k");
  out.v = packer.linear(name + ".v");
  out.o = packer.linear(name + ".o");
  return out;
}

Seq2SeqHalf pack_half(Packer& packer, const model::OpenedSeq2Seq& opened, const std::string& half) {
  const model::Seq2SeqSpec& spec = opened.spec;
  const bool decoder = half == "decoder";
  Seq2SeqHalf out;
  out.shape = decoder ? spec.decoder : spec.encoder;
  for (int i = 0; i < out.shape.num_layers; ++i) {
    const std::string at = fmt::format("{}.layers.{}.", half, i);
    Seq2SeqLayer& layer = out.layers.emplace_back();
    layer.self = pack_attention(packer, at + "self_attn", spec.norm);
    if (decoder) {
      layer.cross = pack_attention(packer, at + "cross_attn", spec.norm);
    }
    layer.mlp_norm = packer.norm(at + "mlp_norm", spec.norm);
    if (spec.gated_mlp) {
      layer.gate = packer.linear(at + "mlp.gate");
    }
    layer.up = packer.linear(at + "mlp.up");
    layer.down = packer.linear(at + "mlp.down");
  }
  out.embed_norm = packer.norm(half + ".embed_norm", spec.norm);
  out.final_norm = packer.norm(half + ".final_norm", spec.norm);
  switch (spec.positions) {
    case model::Seq2SeqPositions::kRelativeBias:
      out.relative_bias = opened.weights->read_f32(half + ".relative_bias.weight");
      break;
    case model::Seq2SeqPositions::kLearned:
      out.positions = opened.weights->read_f32(half + ".embed_positions.weight");
      break;
    case model::Seq2SeqPositions::kSinusoidal:
    case model::Seq2SeqPositions::kSinusoidalT2T:
      out.positions =
          model::sinusoidal_positions(spec.positions, spec.position_offset + spec.max_positions, spec.hidden_size);
      break;
  }
  out.embeddings = opened.weights->load(half + ".embed_tokens.weight");
  return out;
}

}  // namespace

void PackedSeq2Seq::embed(bool from_encoder, int32_t id, std::span<float> out) const {
  if (from_encoder ? encoder_tied : decoder_tied) {
    head.w.row(id, out.data());
    return;
  }
  const Seq2SeqHalf& half = from_encoder ? encoder : decoder;
  read_row(half.embeddings.view, keeps_alive->source().source(), id, out);
}

PackedSeq2Seq pack_seq2seq(const model::OpenedSeq2Seq& opened, base::Isa isa, const std::string& weight_type,
                           base::Pool& pool) {
  Packer packer(*opened.weights, isa, weight_type, pool);
  PackedSeq2Seq out;
  out.encoder = pack_half(packer, opened, "encoder");
  out.decoder = pack_half(packer, opened, "decoder");
  out.head = packer.linear("lm_head");
  out.decoder_tied = opened.weights->tied();
  out.encoder_tied = out.decoder_tied && opened.spec.shared_embeddings;
  out.keeps_alive = opened.weights;
  out.bytes = packer.bytes();
  out.weight_type = packer.main_type();
  return out;
}

}  // namespace slipway::engine
