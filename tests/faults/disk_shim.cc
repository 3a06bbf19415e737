// Preloaded into the program under test (LD_PRELOAD): its disk fails. $SLIPWAY_FAULT is KIND:FIRST[:COUNT]: of the calls of that
// kind on files below $SLIPWAY_FAULT_DIR, the FIRST-th (from 1) and COUNT - 1 after it fail (all, when COUNT is not given).
//   sync    fsync, fdatasync, syncfs   EIO
//   write   write, pwrite      ENOSPC
// $SLIPWAY_FAULT_LOG, when set, is a file that gets a line for each fault.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool on_the_disk(int fd) {
  const char* folder = std::getenv("SLIPWAY_FAULT_DIR");
  if (folder == nullptr) {
    return false;
  }
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof path - 1);
  return size > 0 && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

// Whether this call of `kind` is to fail.
bool fails(const char* kind, int fd, std::atomic<long>& calls) {
  const char* fault = std::getenv("SLIPWAY_FAULT");
  const size_t length = std::strlen(kind);
  if (fault == nullptr || std::strncmp(fault, kind, length) != 0 || fault[length] != ':' || !on_the_disk(fd)) {
    return false;
  }
  char* end = nullptr;
  const long first = std::strtol(fault + length + 1, &end, 10);
  const long count = *end == ':' ? std::strtol(end + 1, nullptr, 10) : 1'000'000'000;
  const long call = ++calls;
  const bool fault_now = call >= first && call < first + count;
  if (const char* log = std::getenv("SLIPWAY_FAULT_LOG"); fault_now && log != nullptr) {
    const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (out >= 0) {
      static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
      real(out, "fault\n", 6);
      ::close(out);
    }
  }
  return fault_now;
}

std::atomic<long> syncs{0};
std::atomic<long> writes{0};

}  // namespace

extern "C" {

int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  if (fails("sync", fd, syncs)) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  if (fails("sync", fd, syncs)) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int syncfs(int fd) noexcept {
  static const auto real = next<int (*)(int)>("syncfs");
  if (fails("sync", fd, syncs)) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  if (fails("write", fd, writes)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, size);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  if (fails("write", fd, writes)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, size, offset);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) { return pwrite64(fd, bytes, size, offset); }

}  // extern "C"
