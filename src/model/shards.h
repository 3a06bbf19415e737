// Weights that lie in one file or, as transformers saves what is larger than max_shard_size, in shards that an index
// lists. The same for safetensors and PyTorch's files.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "model/tensor.h"

namespace slipway::model {

inline constexpr size_t kMaxShards = 4'096;

// The tensors of one file, whose bytes the function keeps.
using ReadShard = std::function<std::map<std::string, TensorView>(const std::filesystem::path&)>;

// The tensors of `path`: a file of weights, or (.json) an index, whose shards lie beside it, are plain file names (no
// folder, no "..") and at most kMaxShards. `read` is called once a file, in the order of their names. Throws what it
// throws, and Error(kIntegrity) for an index that is damaged, a tensor that two shards have, and one that is not in the
// shard where the index has it.
std::map<std::string, TensorView> read_shards(const std::filesystem::path& path, const ReadShard& read);

}  // namespace slipway::model
