// An encoder-decoder on the CPU: one pass over texts packed without padding that leaves each text's keys and values for
// the decoder (a Seq2SeqMemory), and one pass over a token each of many hypotheses, of many texts. Families differ in
// data (model/seq2seq_spec.h), never in code of their own. A row's result depends on its own text and hypothesis alone:
// the same bits whatever else is in the pass. One thread at a time; the pool is borrowed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/row_ops.h"
#include "engine/seq2seq_weights.h"

namespace slipway::engine {

// Keys and values of every decoder layer over one encoded text. Immutable once encoded; any thread may drop it.
class Seq2SeqMemory {
 public:
  int length() const noexcept { return length_; }

 private:
  friend class Seq2SeqModel;
  int length_ = 0;
  kernels::AlignedBuffer<std::byte> bytes_;
  std::vector<std::byte*> pages_;  // [layer][keys, then values][page]
};

// The next token of one hypothesis.
struct HypothesisRow {
  int32_t id = 0;
  int position = 0;                       // of `id` in the hypothesis; those before are in its pages
  std::span<const int32_t> pages;         // of self-attention: page i holds positions [i, i + 1) * page_tokens
  const Seq2SeqMemory* memory = nullptr;  // rows of one text are best side by side: they share the reading of it
};

struct Seq2SeqModelOptions {
  base::Isa isa = base::Isa::kScalar;
  std::string weight_type = "auto";  // see pack_decoder
  int pages = 0;                     // of self-attention's cache
};

class Seq2SeqModel {
 public:
  static constexpr int kPageTokens = 16;  // of hypotheses: what a fork of one copies at most
  static constexpr int kMemoryPage = 32;

  // Packs the weights; `opened` may be dropped afterwards. Throws Error(kInvalid) for an unknown weight type.
  Seq2SeqModel(const model::OpenedSeq2Seq& opened, const Seq2SeqModelOptions& options, base::Pool& pool);

  // Texts of at least one id each, at most max_positions where the model has such. `states` (may be null) is set to the
  // encoder's output, [all tokens, hidden].
  std::vector<std::shared_ptr<const Seq2SeqMemory>> encode(std::span<const std::span<const int32_t>> texts,
                                                           std::vector<float>* states = nullptr);
  // logits [rows, decoder_vocab]; writes the rows' keys and values into their pages.
  void decode(std::span<const HypothesisRow> rows, std::vector<float>& logits);
  // Page `to` becomes a copy of page `from`.
  void copy_page(int32_t from, int32_t to);

  const model::Seq2SeqSpec& spec() const { return spec_; }
  const PackedSeq2Seq& weights() const { return weights_; }
  static int64_t page_bytes(const model::Seq2SeqSpec& spec);                // of self-attention, over all layers
  static int64_t memory_bytes(const model::Seq2SeqSpec& spec, int length);  // of a text of `length` tokens

 private:
  void embed(bool encoder, std::span<const int32_t> ids, std::span<const int> positions);
  void attend_self(const Seq2SeqHalf& half, const Seq2SeqAttention& weights,
                   std::span<const kernels::CachedRows> places, const kernels::KvLayout& layout, const float* bias,
                   int64_t ld_bias);
  void attend_memory(int layer, std::span<const HypothesisRow> rows);
  void mlp(const Seq2SeqLayer& layer);
  // What the part's products read: norm(x) with norms before parts, else x.
  const float* input_of(const PackedNorm& norm);
  // x += linear(y), then the norm where it comes after.
  void add_output(const PackedLinear& linear, const float* y, const PackedNorm& norm);
  void fill_memory(const Seq2SeqLayer& layer, int index, std::span<const std::shared_ptr<Seq2SeqMemory>> memories);
  void make_bias(const Seq2SeqHalf& half, bool bidirectional, int length, std::vector<float>& table, int& reach) const;
  float scale_of(const Seq2SeqHalf& half) const;

  model::Seq2SeqSpec spec_;
  RowOps ops_;
  PackedSeq2Seq weights_;
  KvCache cache_;
  // T5's bias by distance, made for texts up to the longest so far: [heads][2 reach - 1] and [heads][reach].
  std::vector<float> encoder_bias_;
  std::vector<float> decoder_bias_;
  int encoder_reach_ = 0;
  int decoder_reach_ = 0;

  // Of the pass that runs; they keep their memory.
  int m_ = 0;
  std::vector<float> x_;         // [m, hidden]
  std::vector<float> normed_;    // [m, hidden]
  std::vector<float> qkv_;       // [m, 3 width]
  std::vector<float> attended_;  // [m, width]
  std::vector<float> mlp_;       // [m, intermediate]
  std::vector<float> mlp_up_;    // [m, intermediate]
  std::vector<kernels::CachedRows> places_;
  std::vector<std::byte*> page_table_;
  kernels::Workspace encoder_pages_;  // keys and values of one encoder layer
};

}  // namespace slipway::engine
