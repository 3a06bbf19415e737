// A folder of copies of what lies elsewhere, or must be put together to be read: FOLDER/ab/NAME. It holds so many bytes, save what was
// asked for in the last ten minutes: the copy that was read longest ago goes first. Any thread; several processes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

namespace slipway::store {

class Copies {
 public:
  Copies(std::filesystem::path folder, uint64_t limit_bytes) : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}
  const std::filesystem::path& folder() const noexcept { return folder_; }
  // The file of the folder is used now: it stays for a while. `added`: bytes that it takes since.
  void used(const std::filesystem::path& file, uint64_t added);

 private:
  void make_room();

  const std::filesystem::path folder_;
  const uint64_t limit_bytes_;
  std::mutex mutex_;                 // guards what follows
  std::optional<uint64_t> held_;     // bytes in the folder; unknown before the first addition
};

}  // namespace slipway::store
