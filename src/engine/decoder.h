// A causal language model on the CPU: one forward pass for every family of model/decoder_spec.h, over a packed batch of
// rows of many sequences whose keys and values lie in the pages of one KV cache. Families differ in data (which norms,
// biases, windows, angles), never in code of their own. One thread at a time; the pool is borrowed.
#pragma once

#include <memory>

#include "engine/decoder_pass.h"
#include "engine/kv_cache.h"
#include "engine/packed_decoder.h"
#include "engine/packed_lora.h"
#include "engine/row_ops.h"

namespace slipway::engine {

struct DecoderOptions {
  base::Isa isa = base::Isa::kScalar;
  std::string weight_type = "auto";  // see pack_decoder
  kernels::KvType kv_type = kernels::KvType::kF16;
  int page_tokens = 32;
  int kv_pages = 0;
  const PackedCache* cache = nullptr;  // packed weights of this model, borrowed while it is made; may be null
  int context_length = 0;  // positions that rotary tables reach; Phi-3's choice between its short and long factors
};

class Decoder final : public DecoderPass {
 public:
  // Packs the weights; `opened` may be dropped afterwards. Throws Error(kInvalid) for shapes without a kernel.
  Decoder(const model::OpenedDecoder& opened, const DecoderOptions& options, base::Pool& pool);

  // Adds a LoRA adapter of this model; PassRows::adapter counts them from 0. Before the first pass. Returns its bytes.
  int64_t add_adapter(const model::LoraAdapter& adapter);

  void forward(std::span<const PassRows> rows, std::vector<float>& logits) override;
  void copy_page(int32_t from, int32_t to) override { cache_.copy_page(from, to); }
  int vocab_size() const override { return spec_.vocab_size; }
  const PackedDecoder& weights() const { return weights_; }

  // Bytes of KV cache that one page takes over all layers.
  static int64_t page_bytes(const model::DecoderSpec& spec, kernels::KvType type, int page_tokens);

 private:
  void embed(std::span<const PassRows> rows);
  void attention_block(const PackedLayer& layer, int index, std::span<const PassRows> rows);
  void rotate(const PackedLayer& layer, int index);
  void attend(int index, std::span<const PassRows> rows);
  void mlp_block(const PackedLayer& layer, int index, const float* input);
  // The layer that ends a block: attention's output or the MLP's.
  struct OutputLayer {
    const PackedLinear& linear;
    const PackedNorm& norm;
    LoraSite site;
    int index;
  };
  void add_output(const OutputLayer& layer, const float* x, int64_t ldx);
  void normalise(const PackedNorm& norm, int m, const float* x, float* y);
  void head(std::span<const PassRows> rows, std::vector<float>& logits);

  model::DecoderSpec spec_;
  base::Isa isa_;
  RowOps ops_;
  PackedDecoder weights_;
  LoraRows lora_;
  KvCache cache_;
  std::unique_ptr<Settler> settler_;  // of weights that a cache's map holds
  kernels::RopeTable rope_;
  kernels::RopeTable local_rope_;  // empty when it is the same

  // Of the pass that runs; they keep their memory.
  int m_ = 0;
  std::vector<int> position_;           // [m]
  std::vector<float> x_;                // [m, hidden]
  std::vector<float> normed_;           // [m, hidden]
  std::vector<float> normed_mlp_;       // [m, hidden], parallel residual only
  std::vector<float> qkv_;              // [m, (heads + 2 kv_heads) * head_dim]
  std::vector<float> attended_;         // [m, heads * head_dim]
  std::vector<float> mlp_;              // [m, intermediate]
  std::vector<float> mlp_up_;           // [m, intermediate], with a gate only
  std::vector<float> output_;           // [m, hidden]
  std::vector<std::byte*> page_table_;  // keys of all sequences, then values
  std::vector<kernels::CachedRows> cached_rows_;
};

}  // namespace slipway::engine
