// LSTM and GRU as language models behind the scheduler of decoders. Where a transformer's page holds keys and values of
// its tokens, a page here holds one state: that after the last token of the page that was computed. A full page's state
// is what a text that begins alike goes on from, so prefixes are shared, and texts pushed out and computed again, just
// as with keys and values; only going back inside a page is not possible, and so there is no speculation. One thread at
// a time; the pool is borrowed.
#pragma once

#include <algorithm>

#include "engine/decoder_pass.h"
#include "engine/recurrent_net.h"
#include "kernels/memory.h"

namespace slipway::engine {

struct RecurrentDecoderOptions {
  base::Isa isa = base::Isa::kScalar;
  std::string weight_type = "auto";  // as of Packer
  int page_tokens = 32;
  int pages = 0;
};

class RecurrentDecoder final : public DecoderPass {
 public:
  RecurrentDecoder(const model::OpenedRecurrent& opened, const RecurrentDecoderOptions& options, base::Pool& pool);

  void forward(std::span<const PassRows> rows, std::vector<float>& logits) override;
  void copy_page(int32_t from, int32_t to) override { std::copy_n(state(from), values_, state(to)); }
  int vocab_size() const override { return net_->spec().vocab_size; }
  const std::string& weight_type() const { return weight_type_; }  // of most bytes: "F32"
  int64_t weight_bytes() const { return bytes_; }                  // that one token reads

  static int64_t page_bytes(const model::RecurrentSpec& spec);

 private:
  float* state(int32_t page) { return states_.get() + int64_t{page} * values_; }

  int page_tokens_;
  int64_t values_;  // of a page, padded to cache lines
  RecurrentNet::Scratch scratch_;
  std::unique_ptr<const RecurrentNet> net_;
  PackedLinear head_;
  std::string weight_type_;
  int64_t bytes_ = 0;
  kernels::AlignedBuffer<float> states_;
  std::vector<float> wanted_;  // rows whose logits are wanted
};

}  // namespace slipway::engine
