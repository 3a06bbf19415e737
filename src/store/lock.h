// A lock on a file that the operating system releases when its holder dies (flock). Each object has its own descriptor,
// so locks of two threads of one process exclude each other too.
#pragma once

#include <filesystem>
#include <optional>

namespace slipway::store {

class FileLock {
 public:
  // Waits for the lock; makes the file when it is missing. Throws base::Error.
  static FileLock exclusive(const std::filesystem::path& path);
  static FileLock shared(const std::filesystem::path& path);
  // Does not wait: nothing while another holds it.
  static std::optional<FileLock> try_exclusive(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock& operator=(FileLock&&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace slipway::store
