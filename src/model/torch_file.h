// PyTorch's own files of weights (pytorch_model.bin, .pt, .pth): a zip of a pickle and the storages. Read without
// running anything of it (pickle.h); the storages are mapped in place. Files from before PyTorch 1.6 (a pickle without
// a zip) are refused. Immutable; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/tensor_source.h"

namespace slipway::model {

inline constexpr const char* kTorchWeightsFile = "pytorch_model.bin";
inline constexpr const char* kPlainTorchFile = "model.pt";  // torch.save(model.state_dict(), ...) of anyone's module
inline constexpr const char* kNpzFile = "model.npz";
inline constexpr const char* kTorchShardIndexFile = "pytorch_model.bin.index.json";

// Tensor name -> view, of the bytes of one file, which the caller keeps alive. Throws Error(kIntegrity) for a damaged
// file, kNotAllowed for a pickle that names anything but tensors, kInvalid for what is not read (big-endian numbers,
// compressed entries, tensors that are not contiguous).
std::map<std::string, TensorView> read_torch_file(std::string_view bytes, const std::string& source);

// One file, or the shards that a pytorch_model.bin.index.json lists.
class TorchSource final : public TensorSource {
 public:
  explicit TorchSource(const std::filesystem::path& path);
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "pytorch"; }
  void drop_pages() const noexcept override {
    for (const base::MappedFile& file : files_) {
      file.drop_pages();
    }
  }

 private:
  std::string source_;
  std::vector<base::MappedFile> files_;
  std::map<std::string, TensorView> tensors_;
};

// The source of a file of weights: GGUF by its first bytes, PyTorch by its name (.bin, .pt, .pth, .ckpt, or the index
// of its shards), numpy's .npz and TensorFlow's .index by theirs, else safetensors or the index of its shards. Throws
// as the readers do.
std::shared_ptr<const TensorSource> open_weights(const std::filesystem::path& path);

// The file in a Hugging Face folder to give it: model.safetensors, else the index of its shards, else pytorch_model.bin
// or the index of its shards, else model.pt, else model.npz, else a TensorFlow checkpoint (*.ckpt*.index); nullopt when
// there is none of them. kWeightFiles, for messages.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder);
inline constexpr const char* kWeightFiles =
    "model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json, model.pt, "
    "model.npz, *.ckpt*.index";

}  // namespace slipway::model
