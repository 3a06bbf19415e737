// Packed weights on disk, so that a later start maps them instead of reading and packing the model's file
// (docs/formats/packed.md). One file for each model, instruction set and weight type in a folder of their own; it is
// used while the model's files are the same (by path, size and times: a digest of the content would cost what packing
// does), else ignored and written again. A folder that cannot be written to only means that nothing is kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "kernels/gemm_blocks.h"
#include "model/safetensors.h"

namespace slipway::engine {

struct NamedBlocks {
  std::string name;
  kernels::PackedBlocks blocks;  // shares its memory
};

// Where a model's packed weights are, and what they are of. Values.
struct PackedPlace {
  std::filesystem::path file;
  std::string key;  // 64 hex digits of the model's files as they are now, instruction set, type and format
};
// `model` is a .gguf file, or a folder, whose files of weights, indices and config.json count. Throws Error(kFailure)
// when a file cannot be looked at.
PackedPlace packed_place(const std::filesystem::path& folder, const std::filesystem::path& model, base::Isa isa,
                         const std::string& weight_type);

// A mapped file of packed weights. Immutable; any thread.
class PackedCache {
 public:
  // nullptr when there is no file, or it is another user's, of another state of the model, torn or of another format.
  static std::unique_ptr<const PackedCache> open(const PackedPlace& place, base::Isa isa) noexcept;

  // The matrix of this name, in place, which keeps the map alive; nullopt unless it is there with this type and shape.
  std::optional<kernels::PackedBlocks> find(const std::string& name, kernels::BlockType type, int n, int k) const;

 private:
  friend class Settler;
  PackedCache(std::shared_ptr<const model::SafetensorsFile> file, base::Isa isa) : file_(std::move(file)), isa_(isa) {}
  std::shared_ptr<const model::SafetensorsFile> file_;
  base::Isa isa_;
};

// Moves weights from a map into memory of huge pages beside the passes that use them, from the first to the last. The
// passes' thread calls settle() between passes; the rest is a thread of its own.
class Settler {
 public:
  // `targets` are borrowed, and changed in settle() alone; they lie in the cache's map, whose pages leave memory as
  // they are copied.
  Settler(std::vector<kernels::PackedBlocks*> targets, const PackedCache& cache);
  void settle();  // takes what is ready; starts the thread at the first call
  bool settled() const { return taken_ == targets_.size(); }

 private:
  void copy_all(const std::stop_token& stop);

  std::vector<kernels::PackedBlocks*> targets_;
  std::shared_ptr<const model::SafetensorsFile> file_;
  std::vector<kernels::PackedBlocks> from_;  // what is copied
  std::vector<kernels::PackedBlocks> ready_;
  std::atomic<size_t> ready_count_{0};
  size_t taken_ = 0;
  std::jthread thread_;  // last: it ends first
};

// Writes the file atomically, and removes the folder's least recently used ones beyond `limit_bytes`. Returns why it
// could not; empty: it is there.
std::string write_packed_cache(const PackedPlace& place, const std::vector<NamedBlocks>& matrices,
                               int64_t limit_bytes) noexcept;

}  // namespace slipway::engine
