// Turns a model's tensors into what its products read: packed for one instruction set, in the file's element type or
// another. For every kind of model whose weights have canonical names (decoders, encoder-decoders). One thread; the
// pool is used inside.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/packed_cache.h"
#include "engine/packed_decoder.h"
#include "model/named_tensors.h"

namespace slipway::engine {

class Packer {
 public:
  // `weight_type` as of pack_decoder; Error(kInvalid) for an unknown word. `weights`, `pool` and `cache` (may be null)
  // are borrowed.
  Packer(const model::NamedTensors& weights, base::Isa isa, const std::string& weight_type, base::Pool& pool,
         const PackedCache* cache = nullptr);

  // NAME.weight [n, k], from the cache where it is there, and, where there is one, NAME.bias [n].
  PackedLinear linear(const std::string& name);
  // NAME.weight, and NAME.bias of a layer norm (zeros where there is none); not present() when there is no such tensor.
  PackedNorm norm(const std::string& name, model::NormKind kind) const;

  int64_t bytes() const { return bytes_; }  // of all products so far
  std::string main_type() const;            // the type of most of them: "Q4_1"
  // All of them, in order; sharing their memory.
  const std::vector<NamedBlocks>& matrices() const { return matrices_; }
  bool all_cached() const { return all_cached_; }  // none had to be packed
  // Of those packed now, what took time: floats, and what was turned into another type. (Blocks as the file has them
  // are packed nearly as fast as they are read.)
  int64_t costly_bytes() const { return costly_bytes_; }

 private:
  kernels::PackedBlocks cached(const model::TensorView& tensor) const;  // empty: it is not there
  kernels::PackedBlocks matrix(const model::TensorView& tensor);
  void convert(const model::TensorView& tensor, kernels::BlockType type, kernels::PackedBlocks& packed);

  const model::NamedTensors& weights_;
  base::Isa isa_;
  std::optional<kernels::BlockType> wanted_;
  base::Pool& pool_;
  std::shared_ptr<kernels::Arena> arena_ = std::make_shared<kernels::Arena>();
  int64_t bytes_ = 0;
  std::map<kernels::BlockType, int64_t> by_type_;
  const PackedCache* cache_;
  std::vector<NamedBlocks> matrices_;
  bool all_cached_ = true;
  int64_t costly_bytes_ = 0;
};

// out [k] = row `id` of a matrix [n, k] as its file has it. `source` is for messages.
void read_row(const model::TensorView& matrix, const std::string& source, int32_t id, std::span<float> out);

}  // namespace slipway::engine
