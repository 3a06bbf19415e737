#include "model/folder_parts.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "model/folder.h"
#include "model/safetensors_source.h"
#include "model/torch_file.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxConfigBytes = size_t{16} << 20;  // tokenizer_config.json lists every added token

}  // namespace

// {} when there is no such file.
Json read_config_object(const std::filesystem::path& path) {
  if (!base::is_file(path)) {
    return Json::object();
  }
  Json json = base::parse_json(base::read_file(path, kMaxConfigBytes), path.string(),
                               {.max_bytes = kMaxConfigBytes, .max_depth = 64});
  if (!json.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: must be a JSON object", path.string()));
  }
  return json;
}

std::shared_ptr<const TensorSource> open_folder_weights(const std::filesystem::path& path) {
  if (const auto file = find_weights(path)) {
    return open_weights(*file);
  }
  throw Error(Code::kNotFound, fmt::format("'{}' has no weights: none of {}", path.string(), kWeightFiles));
}

}  // namespace slipway::model
