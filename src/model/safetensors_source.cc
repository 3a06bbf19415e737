#include "model/safetensors_source.h"

#include "model/shards.h"

namespace slipway::model {

SafetensorsSource::SafetensorsSource(const std::filesystem::path& path)
    : source_(path.string()), tensors_(read_shards(path, [this](const std::filesystem::path& file) {
        return files_.emplace_back(file).tensors();
      })) {}

}  // namespace slipway::model
