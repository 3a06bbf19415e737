// The weights of an encoder-decoder, packed for the instruction set in use: what its passes read. Immutable once
// loaded; any thread. (model/seq2seq_weights.h is the same before packing.)
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/packed_decoder.h"
#include "model/seq2seq_files.h"

namespace slipway::engine {

struct Seq2SeqAttention {
  PackedNorm norm;
  PackedLinear q;
  PackedLinear k;
  PackedLinear v;
  PackedLinear o;
};

struct Seq2SeqLayer {
  Seq2SeqAttention self;
  Seq2SeqAttention cross;  // of the decoder; else empty
  PackedNorm mlp_norm;
  PackedLinear gate;  // empty without a gate
  PackedLinear up;
  PackedLinear down;
};

struct Seq2SeqHalf {
  model::Seq2SeqStack shape;
  std::vector<Seq2SeqLayer> layers;
  PackedNorm embed_norm;  // either may be absent
  PackedNorm final_norm;
  std::vector<float> positions;      // [offset + max_positions, hidden], or empty
  std::vector<float> relative_bias;  // [buckets, heads], or empty
  model::LoadedTensor embeddings;    // as the file has them; not used where they are the head's matrix
};

struct PackedSeq2Seq {
  Seq2SeqHalf encoder;
  Seq2SeqHalf decoder;
  PackedLinear head;  // [decoder_vocab, hidden], its bias final_logits_bias
  bool encoder_tied = false;
  bool decoder_tied = false;
  std::shared_ptr<const model::Seq2SeqWeights> keeps_alive;  // what `embeddings` look at
  std::string weight_type;                                   // of most bytes
  int64_t bytes = 0;                                         // of all packed products

  // out [hidden] = the embedding of token `id` in the encoder's or the decoder's table.
  void embed(bool encoder, int32_t id, std::span<float> out) const;
};

// `weight_type` as of pack_decoder.
PackedSeq2Seq pack_seq2seq(const model::OpenedSeq2Seq& opened, base::Isa isa, const std::string& weight_type,
                           base::Pool& pool);

}  // namespace slipway::engine
