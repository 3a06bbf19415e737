#include "pipeline/work.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kKeyDigits = 16;  // 64 bits of the key: enough to tell the few keys of one step apart

std::string name_of_folder(const std::string& step, const std::string& key) {
  return fmt::format("{}-{}", step, key.substr(0, kKeyDigits));
}

}  // namespace

ProjectLock::ProjectLock(const fs::path& root, const std::string& project) {
  const fs::path path = root / (project + ".lock");
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw Error(errno == ENOSPC ? Code::kUnavailable : Code::kFailure,
                fmt::format("cannot open the lock '{}': {}", path.string(), base::errno_text(errno)));
  }
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) {
      continue;
    }
    const int number = errno;
    std::array<char, 32> holder{};
    const ssize_t got = ::pread(fd_, holder.data(), holder.size() - 1, 0);
    ::close(fd_);
    if (number != EWOULDBLOCK) {
      throw Error(Code::kFailure, fmt::format("cannot lock '{}': {}", path.string(), base::errno_text(number)));
    }
    throw Error(Code::kConflict, fmt::format("project '{}' is being run by process {}; wait for it or stop it", project,
                                             got > 0 ? holder.data() : "(unknown)"));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    // The lock holds all the same; only the message to others lacks the number.
  }
}

ProjectLock::~ProjectLock() { ::close(fd_); }

fs::path WorkFolders::open(const std::string& step, const std::string& key) const {
  fs::path path = folder_ / name_of_folder(step, key);
  base::make_dirs(path);
  base::remove_temporaries(path);  // else they would get into a folder artifact
  return path;
}

void WorkFolders::remove(const std::string& step, const std::string& key) const noexcept {
  std::error_code ignored;
  fs::remove_all(folder_ / name_of_folder(step, key), ignored);
}

void WorkFolders::remove_all_of(const std::string& step) const noexcept {
  std::error_code error;
  const std::string prefix = step + "-";
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.size() == prefix.size() + kKeyDigits && name.starts_with(prefix) &&
        name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos) {
      std::error_code ignored;
      fs::remove_all(it->path(), ignored);
    }
  }
}

}  // namespace slipway::pipeline
