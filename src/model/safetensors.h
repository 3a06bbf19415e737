// safetensors files: 8 bytes little-endian header length, JSON header, raw tensors. Reading maps the file and copies
// nothing. All checks of docs/formats/safetensors.md hold before a tensor is visible; nothing in a file runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/tensor_source.h"

namespace slipway::model {

// Immutable after opening; any thread.
class SafetensorsFile final : public TensorSource {
 public:
  // Throws Error(kIntegrity) naming file, tensor and byte for each way a file can be wrong; kNotFound when absent.
  explicit SafetensorsFile(const std::filesystem::path& path);
  // Parses bytes that the caller keeps alive (tests, fuzzers).
  SafetensorsFile(std::string_view bytes, const std::string& source);

  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "safetensors"; }
  void drop_pages() const noexcept override { file_.drop_pages(); }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void parse(std::string_view bytes, const std::string& source);
  base::MappedFile file_;
  std::string source_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

struct TensorData {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string_view bytes;  // borrowed until write_safetensors returns
};

// Writes atomically and durably. The header is padded so that data begin at a multiple of 64; first come the tensors
// whose size is a multiple of 64, in the order given, then the rest by falling element size: every tensor is aligned to
// its element, and nearly all to 64, without holes. The same input gives the same bytes. Throws Error(kInvalid) for a
// repeated name or bytes that do not match the shape.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace slipway::model
