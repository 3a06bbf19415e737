// The pickle inside a PyTorch file, read as data: the opcodes that torch.save writes for dictionaries of tensors, and
// nothing else. Nothing is imported, called or executed: a global is a name on a list of a dozen, "calling" one of the
// three that build tensors makes a description, everything else is an error. Internal to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tensor.h"

namespace slipway::model {

inline constexpr size_t kMaxPickleBytes = size_t{64} << 20;
inline constexpr size_t kMaxPickleNodes = 2'000'000;

// A tensor as the pickle describes it: a part of a storage, whose bytes are an entry of the archive.
struct PickledTensor {
  std::string storage;  // "0": the entry data/0
  DType dtype = DType::kF32;
  int64_t storage_count = 0;  // values in the storage
  int64_t offset = 0;         // in values
  std::vector<int64_t> shape;
};

// Name -> tensor, in the order of the file: the tensors of the dictionary on top or, when it has none, of the one that
// it holds as "state_dict", "model_state_dict", "model" or "module". Throws Error(kIntegrity) naming `source` and the
// byte for a damaged pickle or a limit; kNotAllowed for a global that is not on the list (naming it); kInvalid for what
// is not read: a tensor that is not contiguous, nothing but other values.
std::vector<std::pair<std::string, PickledTensor>> read_torch_pickle(std::string_view bytes, const std::string& source);

}  // namespace slipway::model
