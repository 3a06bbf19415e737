// The weights of a decoder under one set of names and in one layout, whatever family and file they come from, so that
// an engine needs one loader. Names are those of Hugging Face's Llama (N is the layer):
//
//   model.embed_tokens.weight                          [vocab, hidden]
//   model.embed_positions.weight                       [max_positions, hidden]      GPT-2 only
//   model.layers.N.input_layernorm.{weight,bias}       [hidden]                     before attention
//   model.layers.N.self_attn.q_proj.{weight,bias}      [heads * head_dim, hidden], [heads * head_dim]
//   model.layers.N.self_attn.{k,v}_proj.{weight,bias}  [kv_heads * head_dim, hidden], [kv_heads * head_dim]
//   model.layers.N.self_attn.{q,k}_norm.weight         [head_dim]                   when spec.qk_norm
//   model.layers.N.self_attn.o_proj.{weight,bias}      [hidden, heads * head_dim], [hidden]
//   model.layers.N.post_attention_layernorm.{weight,bias}  [hidden]  before the MLP; Gemma: on the attention's output
//   model.layers.N.pre_feedforward_layernorm.weight    [hidden]  when spec.sandwich_norms: before the MLP
//   model.layers.N.post_feedforward_layernorm.weight   [hidden]  when spec.sandwich_norms: on the MLP's output
//   model.layers.N.mlp.gate_proj.{weight,bias}         [intermediate, hidden], [intermediate]  when spec.gated_mlp
//   model.layers.N.mlp.up_proj.{weight,bias}           [intermediate, hidden], [intermediate]
//   model.layers.N.mlp.down_proj.{weight,bias}         [hidden, intermediate], [hidden]
//   model.norm.{weight,bias}                           [hidden]
//   lm_head.weight                                     [vocab, hidden]  the embeddings when spec.tied_embeddings
//
// One layout: linear weights are [out, in]; rotary pairs of a head are (i, i + rotary_dim / 2), as in transformers,
// also where a GGUF file has them side by side (its rows are put back); a norm's weight is the factor itself, also
// where the file has factor - 1 (Gemma in Hugging Face's files). Fused tensors (qkv, gate and up) are given in their
// parts. Where the file's layout differs the tensor is a copy, else a view of the mapped file. Block formats survive
// all of this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/decoder_spec.h"
#include "model/named_tensors.h"

namespace slipway::model {

// Immutable; any thread. Shares the source.
class DecoderWeights final : public NamedTensors {
 public:
  // Checks that every tensor that the spec needs is there with its shape and a floating-point type (block formats
  // included). Throws Error(kIntegrity) naming the first one that is missing or has another shape, with both shapes.
  DecoderWeights(const DecoderSpec& spec, std::shared_ptr<const TensorSource> source);
  ~DecoderWeights() override;
  DecoderWeights(DecoderWeights&&) noexcept;
  DecoderWeights& operator=(DecoderWeights&&) noexcept;

  // Canonical names, in the order of computing; "lm_head.weight" is among them also when tied.
  const std::vector<std::string>& names() const;
  bool has(const std::string& name) const override;
  // A copy costs one pass over the tensor's bytes.
  LoadedTensor load(const std::string& name) const override;
  TensorView describe(const std::string& name) const override;
  const TensorSource& source() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::model
