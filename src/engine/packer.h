// Turns a model's tensors into what its products read: packed for one instruction set, in the file's element type or
// another. For every kind of model whose weights have canonical names (decoders, encoder-decoders). One thread; the
// pool is used inside.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/packed_decoder.h"
#include "model/named_tensors.h"

namespace slipway::engine {

class Packer {
 public:
  // `weight_type` as of pack_decoder; Error(kInvalid) for an unknown word. `weights` and `pool` are borrowed.
  Packer(const model::NamedTensors& weights, base::Isa isa, const std::string& weight_type, base::Pool& pool);

  // NAME.weight [n, k] and, where there is one, NAME.bias [n].
  PackedLinear linear(const std::string& name);
  // NAME.weight, and NAME.bias of a layer norm (zeros where there is none); not present() when there is no such tensor.
  PackedNorm norm(const std::string& name, model::NormKind kind) const;

  int64_t bytes() const { return bytes_; }  // of all products so far
  std::string main_type() const;            // the type of most of them: "Q4_1"

 private:
  kernels::PackedBlocks matrix(const model::TensorView& tensor);
  void convert(const model::TensorView& tensor, kernels::BlockType type, kernels::PackedBlocks& packed);

  const model::NamedTensors& weights_;
  base::Isa isa_;
  std::optional<kernels::BlockType> wanted_;
  base::Pool& pool_;
  std::shared_ptr<kernels::Arena> arena_ = std::make_shared<kernels::Arena>();
  int64_t bytes_ = 0;
  std::map<kernels::BlockType, int64_t> by_type_;
};

// out [k] = row `id` of a matrix [n, k] as its file has it. `source` is for messages.
void read_row(const model::TensorView& matrix, const std::string& source, int32_t id, std::span<float> out);

}  // namespace slipway::engine
