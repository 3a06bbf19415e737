// The weights of a decoder, packed for the instruction set in use: what its forward pass reads. Immutable once loaded.
// (model/decoder_weights.h is the same before packing: names, shapes and bytes as files have them.)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/pool.h"
#include "engine/packed_cache.h"
#include "kernels/decoder_ops.h"
#include "kernels/gemm_blocks.h"
#include "model/decoder_files.h"

namespace slipway::engine {

// y = x W^T + bias.
struct PackedLinear {
  kernels::PackedBlocks w;
  std::vector<float> bias;  // [n], or empty
  const float* bias_or_null() const noexcept { return bias.empty() ? nullptr : bias.data(); }
};

struct PackedNorm {
  std::vector<float> weight;  // empty: there is no such norm
  std::vector<float> bias;    // of a layer norm; zeros where the file has none
  bool present() const noexcept { return !weight.empty(); }
};

struct PackedLayer {
  PackedNorm attention_norm;  // before attention
  PackedLinear q;
  PackedLinear k;
  PackedLinear v;
  PackedNorm q_norm;  // of each head
  PackedNorm k_norm;
  PackedLinear o;
  PackedNorm attention_output_norm;  // on attention's output (Gemma)
  PackedNorm mlp_norm;               // before the MLP
  PackedLinear gate;                 // empty without a gate
  PackedLinear up;
  PackedLinear down;
  PackedNorm mlp_output_norm;  // on the MLP's output (Gemma)
};

struct PackedDecoder {
  std::vector<PackedLayer> layers;
  PackedNorm final_norm;
  PackedLinear head;             // [vocab, hidden]
  std::vector<float> positions;  // learned ones [max_positions, hidden], or empty
  // Embeddings that are not the head's matrix, as the file has them (its pages stay mapped); else empty.
  model::LoadedTensor embeddings;
  std::shared_ptr<const model::DecoderWeights> keeps_alive;  // what `embeddings` looks at
  std::string weight_type;                                   // of most bytes: "Q4_1"
  int64_t bytes = 0;                                         // of all packed products: what one token reads
  std::vector<NamedBlocks> matrices;                         // all of them, by name, for the cache
  bool from_cache = false;                                   // none had to be packed
  int64_t costly_bytes = 0;                                  // see Packer

  // Every product's matrix.
  std::vector<kernels::PackedBlocks*> products();
  // out [hidden] = the embedding of token `id`.
  void embed(int32_t id, std::span<float> out) const;
};

// `weight_type`: "auto" (as the file has them; block formats without a kernel become Q8_0), or the type to turn all
// products into: "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1". A row whose length is no multiple of 32 stays f32.
// What `cache` (may be null) has is not packed again. Throws Error(kInvalid) for another word, what the file's reader
// throws.
PackedDecoder pack_decoder(const model::OpenedDecoder& opened, base::Isa isa, const std::string& weight_type,
                           base::Pool& pool, const PackedCache* cache = nullptr);

}  // namespace slipway::engine
