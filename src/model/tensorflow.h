// TensorFlow's checkpoints (tf.train.Saver, version 2): NAME.index, a table in LevelDB's format of what there is, and
// NAME.data-0000i-of-0000n, the bytes (docs/formats/tensorflow.md). Every length, offset and checksum is checked when
// the file is opened, those of the tensors too. Immutable; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/tensor_source.h"

namespace slipway::model {

inline constexpr size_t kMaxTensorflowTensors = 262'144;
inline constexpr size_t kMaxTensorflowIndexBytes = size_t{64} << 20;
inline constexpr int kMaxTensorflowShards = 4'096;

struct TensorflowEntry {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  int shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;      // bytes: what type and shape need
  uint32_t checksum = 0;  // masked CRC-32C of the bytes
};

struct TensorflowIndex {
  int shards = 1;
  std::map<std::string, TensorflowEntry> entries;
  std::vector<std::string> skipped;  // variables that are no tensors of numbers: texts, resources
};

// The index file. Throws Error(kIntegrity) for a damaged one; kInvalid for a protocol buffer that is none, and for what
// is not read: compressed blocks, big-endian numbers, variables saved in slices.
// Without `checksums` (a fuzzer's way in) those of its blocks are not looked at.
TensorflowIndex read_tensorflow_index(std::string_view bytes, const std::string& source, bool checksums = true);

// A tensor's bytes in its data file, checked against place and checksum. Throws Error(kIntegrity).
std::string_view tensorflow_bytes(const TensorflowEntry& entry, const std::string& name, std::string_view data,
                                  const std::string& source);

class TensorflowSource final : public TensorSource {
 public:
  // `index`: the path of NAME.index.
  explicit TensorflowSource(const std::filesystem::path& index);
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "tensorflow"; }

 private:
  std::string source_;
  std::vector<base::MappedFile> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace slipway::model
