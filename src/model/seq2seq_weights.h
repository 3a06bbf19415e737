// The weights of an encoder-decoder under one set of names, whatever family and file they come from. S is "encoder" or
// "decoder", N a layer of it:
//
//   S.embed_tokens.weight                       [vocab, hidden]   the same tensor for both where they are shared
//   S.embed_positions.weight                    [offset + max_positions, hidden]   learned positions only
//   S.relative_bias.weight                      [buckets, heads]  relative positions only; of layer 0, for all layers
//   S.embed_norm.{weight,bias}                  [hidden]          when spec.embedding_norm
//   S.layers.N.self_attn_norm.{weight,bias}     [hidden]
//   S.layers.N.self_attn.{q,k,v}.{weight,bias}  [heads * head_dim, hidden]
//   S.layers.N.self_attn.o.{weight,bias}        [hidden, heads * head_dim]
//   decoder.layers.N.cross_attn_norm, decoder.layers.N.cross_attn.{q,k,v,o}   the same, over the encoder's states
//   S.layers.N.mlp_norm.{weight,bias}           [hidden]
//   S.layers.N.mlp.gate.weight                  [intermediate, hidden]   when spec.gated_mlp
//   S.layers.N.mlp.up.{weight,bias}             [intermediate, hidden]
//   S.layers.N.mlp.down.{weight,bias}           [hidden, intermediate]
//   S.final_norm.{weight,bias}                  [hidden]          when spec.final_norm
//   lm_head.weight                              [decoder_vocab, hidden]   the decoder's embeddings where the file has
//   none lm_head.bias                                [1, decoder_vocab]        final_logits_bias, where the file has
//   one
#pragma once

#include <map>
#include <memory>
#include <string>

#include "model/named_tensors.h"
#include "model/seq2seq_spec.h"

namespace slipway::model {

// Immutable; any thread. Shares the source. Tensors are views of the mapped file.
class Seq2SeqWeights final : public NamedTensors {
 public:
  // Checks that every tensor that the spec needs is there with its shape and a floating-point type. Throws
  // Error(kIntegrity) naming the first one that is missing or has another shape, with both shapes.
  Seq2SeqWeights(const Seq2SeqSpec& spec, std::shared_ptr<const TensorSource> source);

  bool has(const std::string& name) const override { return places_.contains(name); }
  LoadedTensor load(const std::string& name) const override;
  const TensorSource& source() const override { return *source_; }
  // True when the head is the decoder's embeddings.
  bool tied() const { return places_.at("lm_head.weight") == places_.at("decoder.embed_tokens.weight"); }
  int64_t parameters() const;  // a tensor under two names once

 private:
  std::shared_ptr<const TensorSource> source_;
  std::map<std::string, const TensorView*> places_;
};

}  // namespace slipway::model
