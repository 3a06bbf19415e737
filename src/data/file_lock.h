// A lock that several processes on one file system share: a corpus that many of them work on has one that sums up. Internal to
// this room.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {

// Waits until nobody else has it; goes with the object and with the process. One thread.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) {
      const int number = errno;
      if (fd_ >= 0) {
        ::close(fd_);
      }
      throw base::Error(base::Code::kFailure, fmt::format("cannot lock '{}': {}", path.string(), base::errno_text(number)));
    }
  }
  ~FileLock() { ::close(fd_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace slipway::data
