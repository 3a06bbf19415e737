// Packed weights on disk, so that a later start maps them instead of reading and packing the model's file
// (docs/formats/packed.md). One file for each model's content, instruction set and weight type in a folder of their own:
// copies of a model, wherever they lie, share it. The content's digest is read once for each state of the model's files
// (path, size, times), beside the first passes, and remembered; a start never waits for it. A folder that cannot be
// written to only means that nothing is kept.
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
  std::string key;  // 64 hex digits of the model's content, instruction set, type and format
};
PackedPlace packed_place(const std::filesystem::path& folder, const std::string& digest, base::Isa isa,
                         const std::string& weight_type);

// Of a model's files as they are now, without reading them. `model` is a .gguf file (all of its parts count), or a folder,
// whose files of weights, indices and config.json count. Throws Error(kFailure) when a file cannot be looked at.
std::string model_state(const std::filesystem::path& model);
// The digest of the model's content that is remembered in the folder for this state; nullopt when none is.
std::optional<std::string> known_digest(const std::filesystem::path& folder, const std::filesystem::path& model,
                                        const std::string& state) noexcept;
// Reads all files, about a second for each GB, and remembers the digest. nullopt when the model is not in this state (any
// more), or something cannot be read or written.
std::optional<std::string> read_digest(const std::filesystem::path& folder, const std::filesystem::path& model,
                                       const std::string& state) noexcept;

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
