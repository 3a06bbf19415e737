#include "store/lock.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"

namespace slipway::store {
namespace {

int open_and_lock(const std::filesystem::path& path, int operation) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    const bool denied = errno == EACCES || errno == EPERM;
    const bool full = errno == ENOSPC || errno == EDQUOT;
    throw base::Error(denied ? base::Code::kNotAllowed
                      : full ? base::Code::kUnavailable
                             : base::Code::kFailure,
                      fmt::format("cannot open the lock '{}': {}", path.string(), base::errno_text(errno)));
  }
  while (::flock(fd, operation) != 0) {
    if (errno != EINTR) {
      const int number = errno;
      ::close(fd);
      if (number == EWOULDBLOCK && (operation & LOCK_NB) != 0) {
        return -1;
      }
      throw base::Error(base::Code::kFailure,
                        fmt::format("cannot lock '{}': {}", path.string(), base::errno_text(number)));
    }
  }
  return fd;
}

}  // namespace

FileLock FileLock::exclusive(const std::filesystem::path& path) { return FileLock(open_and_lock(path, LOCK_EX)); }
FileLock FileLock::shared(const std::filesystem::path& path) { return FileLock(open_and_lock(path, LOCK_SH)); }

std::optional<FileLock> FileLock::try_exclusive(const std::filesystem::path& path) {
  const int fd = open_and_lock(path, LOCK_EX | LOCK_NB);
  return fd < 0 ? std::nullopt : std::optional(FileLock(fd));
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) {
    ::close(fd_);  // releases the lock
  }
}

}  // namespace slipway::store
