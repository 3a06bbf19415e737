#include "model/torch_file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "model/gguf.h"
#include "model/npz.h"
#include "model/pickle.h"
#include "model/safetensors_source.h"
#include "model/shards.h"
#include "model/tensorflow.h"
#include "model/tensorflow_names.h"
#include "model/zip.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a PyTorch file: {}", source, what));
}

// The folder that all entries are in: "archive/" of "archive/data.pkl".
std::string root_of(const std::map<std::string, std::string_view>& entries, const std::string& source) {
  constexpr std::string_view kPickle = "/data.pkl";
  for (const auto& [name, bytes] : entries) {
    if (name.ends_with(kPickle) && std::count(name.begin(), name.end(), '/') == 1) {
      return name.substr(0, name.size() - kPickle.size() + 1);
    }
  }
  broken(source, "there is no data.pkl in it");
}

}  // namespace

std::map<std::string, TensorView> read_torch_file(std::string_view bytes, const std::string& source) {
  if (!is_zip(bytes)) {
    throw Error(
        Code::kInvalid,
        fmt::format(
            "{}: a pickle without a zip around it, as PyTorch wrote before 1.6, or no PyTorch file at all; load and "
            "save it again with a newer PyTorch, or as safetensors",
            source));
  }
  const std::map<std::string, std::string_view> entries = read_zip(bytes, source);
  const std::string root = root_of(entries, source);
  if (const auto order = entries.find(root + "byteorder"); order != entries.end() && order->second != "little") {
    throw Error(Code::kInvalid, fmt::format("{}: its numbers are not little-endian", source));
  }
  std::map<std::string, TensorView> out;
  for (auto& [name, tensor] : read_torch_pickle(entries.at(root + "data.pkl"), source)) {
    const auto storage = entries.find(root + "data/" + tensor.storage);
    const auto needed = dtype_bytes(tensor.dtype, static_cast<uint64_t>(tensor.storage_count));
    if (storage == entries.end() || !needed || storage->second.size() != *needed) {
      broken(source,
             fmt::format("the storage '{}' of tensor '{}' is missing or of another size", tensor.storage, name));
    }
    TensorView view{name, tensor.dtype, std::move(tensor.shape), {}};
    // pickle.h checked offset + count against the storage.
    const size_t size = dtype_size(tensor.dtype);
    view.bytes =
        storage->second.substr(static_cast<size_t>(tensor.offset) * size, static_cast<size_t>(view.count()) * size);
    if (!out.emplace(name, std::move(view)).second) {
      broken(source, fmt::format("the tensor '{}' is there twice", name));
    }
  }
  if (out.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: holds no tensors by name; save the model's state_dict()", source));
  }
  return out;
}

TorchSource::TorchSource(const std::filesystem::path& path)
    : source_(path.string()), tensors_(read_shards(path, [this](const std::filesystem::path& file) {
        return read_torch_file(files_.emplace_back(file).bytes(), file.string());
      })) {}

std::shared_ptr<const TensorSource> open_weights(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (is_gguf_file(path)) {
    return std::make_shared<GgufFile>(path);
  }
  if (name == kTorchShardIndexFile) {
    return std::make_shared<TorchSource>(path);
  }
  const std::string extension = path.extension().string();
  if (extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt") {
    return std::make_shared<TorchSource>(path);
  }
  if (extension == ".npz") {
    return with_hugging_face_names(std::make_shared<NpzSource>(path));
  }
  if (extension == ".index") {
    return with_hugging_face_names(std::make_shared<TensorflowSource>(path));
  }
  return std::make_shared<SafetensorsSource>(path);
}

namespace {

// The checkpoint of a folder that has one; of several, as training leaves them (model.ckpt-1000.index), the one of the
// highest step.
std::optional<std::filesystem::path> find_checkpoint(const std::filesystem::path& folder) {
  std::optional<std::filesystem::path> best;
  int64_t highest = -1;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const size_t at = name.find(".ckpt");
    if (at == std::string::npos || !name.ends_with(".index") || !entry.is_regular_file(ignored)) {
      continue;
    }
    int64_t step = 0;
    const std::string_view number = std::string_view(name).substr(at + 5, name.size() - 6 - at - 5);
    if (number.starts_with('-')) {
      std::from_chars(number.data() + 1, number.data() + number.size(), step);
    }
    if (step > highest) {
      highest = step;
      best = entry.path();
    }
  }
  return best;
}

}  // namespace

std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder) {
  for (const char* name :
       {"model.safetensors", kShardIndexFile, kTorchWeightsFile, kTorchShardIndexFile, kPlainTorchFile, kNpzFile}) {
    if (base::is_file(folder / name)) {
      return folder / name;
    }
  }
  return find_checkpoint(folder);
}

}  // namespace slipway::model
