// One pass of an encoder and its head over a packed batch: the texts' tokens one after the other, no padding.
// A text's results are the same bits whatever else is in the batch and however many threads compute it: every product's
// row depends on that row alone (kernels/gemm.h), attention sees one text.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/pool.h"
#include "engine/text_encoder.h"
#include "engine/weights.h"

namespace slipway::engine {

// Buffers of one pass; grow as needed, reused from pass to pass. One pass at a time.
struct Scratch {
  template <class T>
  struct Buffer {
    kernels::AlignedBuffer<T> data;
    size_t capacity = 0;
    T* reserve(size_t count) {
      if (count > capacity) {
        data.reset();
        data = kernels::aligned_array<T>(count);
        capacity = count;
      }
      return data.get();
    }
  };
  Buffer<float> floats;
  Buffer<uint8_t> bytes;
  Buffer<float> attention;
};

class Encoder final : public TextEncoder {
 public:
  // Maps and packs the folder's int8 or f32 weights. Throws Error(kNotFound | kInvalid | kIntegrity).
  Encoder(const model::ModelFolder& folder, bool int8, base::Isa isa, base::Pool& pool)
      : weights_(folder, int8, isa, pool) {}

  void run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* pool) const override;
  const model::ModelSpec& spec() const override { return weights_.spec(); }
  bool int8() const override { return weights_.int8(); }
  int64_t bytes() const override { return weights_.bytes(); }

 private:
  Weights weights_;
  mutable ScratchList<Scratch> scratch_;
};

}  // namespace slipway::engine
