// Weights in safetensors: one file, or the shards that a model.safetensors.index.json lists (as transformers saves what
// is larger than max_shard_size). Immutable; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "model/tensor_source.h"

namespace slipway::model {

inline constexpr const char* kShardIndexFile = "model.safetensors.index.json";
class SafetensorsSource final : public TensorSource {
 public:
  // A .safetensors file, or an index of shards that lie beside it. Throws as SafetensorsFile does, and
  // Error(kIntegrity) for a tensor that two shards have or that is not where the index says; kNotFound names a shard
  // that is missing.
  explicit SafetensorsSource(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "safetensors"; }
  void drop_pages() const noexcept override {
    for (const SafetensorsFile& file : files_) {
      file.drop_pages();
    }
  }
  const std::map<std::string, std::string>& metadata() const { return files_.front().metadata(); }
  size_t shard_count() const noexcept { return files_.size(); }

 private:
  std::string source_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace slipway::model
