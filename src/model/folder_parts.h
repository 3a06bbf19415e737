// Files of a model's folder that decoders and encoder-decoders read alike. Internal to the room.
#pragma once

#include <filesystem>
#include <memory>

#include "base/json.h"
#include "model/tensor_source.h"

namespace slipway::model {

// A JSON file's object; {} when there is no such file. Throws Error(kInvalid).
base::Json read_config_object(const std::filesystem::path& path);
// The folder's weights: safetensors or PyTorch, in one file or in shards. Throws Error(kNotFound) when it has none.
std::shared_ptr<const TensorSource> open_folder_weights(const std::filesystem::path& folder);

}  // namespace slipway::model
