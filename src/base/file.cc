#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;  // writes reach the kernel in pieces of 1 MiB

[[noreturn]] void fail(const char* what, const fs::path& path, int number) {
  const Code code = number == ENOENT ? Code::kNotFound : number == EACCES || number == EPERM ? Code::kNotAllowed
                                                                                             : Code::kFailure;
  std::string hint;
  if (number == ENOSPC || number == EDQUOT) {
    hint = "; free some space and run the same command again, nothing was lost";
  }
  throw Error(code, fmt::format("cannot {} '{}': {}{}", what, path.string(), errno_text(number), hint));
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      fail("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// ".NAME.PID.NUMBER.tmp"
fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.parent_path() / fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), counter++);
}

bool is_temporary_name(std::string_view name) {
  constexpr std::string_view kEnd = ".tmp";
  if (!name.starts_with('.') || !name.ends_with(kEnd)) {
    return false;
  }
  name.remove_suffix(kEnd.size());
  for (int part = 0; part < 2; ++part) {  // the number, then the process id
    const size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size() ||
        name.find_first_not_of("0123456789", dot + 1) != std::string_view::npos) {
      return false;
    }
    name = name.substr(0, dot);
  }
  return true;
}

}  // namespace

bool is_file(const fs::path& path) noexcept {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string read_file(const fs::path& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fail("open", path, errno);
  }
  struct stat info{};
  ::fstat(fd, &info);
  if (S_ISDIR(info.st_mode)) {
    ::close(fd);
    fail("read", path, EISDIR);
  }
  std::string bytes;
  bytes.reserve(static_cast<size_t>(std::max<off_t>(info.st_size, 0)) < max_bytes ? static_cast<size_t>(info.st_size) : 0);
  std::string piece(kBufferBytes, '\0');
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const int number = errno;
      ::close(fd);
      fail("read", path, number);
    }
    if (got == 0) {
      break;
    }
    if (bytes.size() + static_cast<size_t>(got) > max_bytes) {
      ::close(fd);
      throw Error(Code::kInvalid, fmt::format("'{}' is larger than the limit of {} bytes", path.string(), max_bytes));
    }
    bytes.append(piece.data(), static_cast<size_t>(got));
  }
  ::close(fd);
  return bytes;
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void remove_temporaries(const fs::path& folder) noexcept {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (is_temporary_name(it->path().filename().native()) && it->is_regular_file(ignored)) {
      fs::remove(it->path(), ignored);
    }
  }
}

void make_dirs(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    fail("create the folder", path, error.value());
  }
}

void sync_dir(const fs::path& path) {
  const int fd = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    fail("open the folder", path, errno);
  }
  const int result = ::fsync(fd);
  const int number = errno;
  ::close(fd);
  if (result != 0 && number != EINVAL) {
    fail("sync the folder", path, number);
  }
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  do {  // a killed process of the same id (in containers they repeat) may have left one of that name
    temporary_ = temporary_name(path_);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) {
    fail("create", path_, errno);
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(std::string_view bytes) {
  size_ += bytes.size();
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_.append(bytes);
    return;
  }
  flush();
  if (bytes.size() < kBufferBytes) {
    buffer_.append(bytes);
  } else {
    write_all(fd_, bytes, path_);
  }
}

void AtomicFile::write_at(uint64_t offset, std::string_view bytes) {
  flush();
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail("write", path_, errno);
    }
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void AtomicFile::flush() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (::fsync(fd_) != 0) {
    fail("sync", path_, errno);
  }
  if (::close(std::exchange(fd_, -1)) != 0) {
    fail("close", path_, errno);
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary_.c_str());
    fail("replace", path_, number);
  }
  sync_dir(path_.parent_path());
}

MappedFile::MappedFile(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fail("open", path, errno);
  }
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw Error(Code::kInvalid, fmt::format("'{}' is not a regular file", path.string()));
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) {
    void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int number = errno;
      ::close(fd);
      fail("map", path, number);
    }
    data_ = static_cast<const char*>(data);
  }
  ::close(fd);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<char*>(data_), size_);  // NOLINT: munmap takes the pointer mmap gave
  }
}

void MappedFile::drop_pages() const noexcept {
  if (data_ != nullptr) {
    ::madvise(const_cast<char*>(data_), size_, MADV_DONTNEED);  // NOLINT: of a read-only map nothing is lost
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "slipway-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    fail("create a temporary folder like", name, errno);
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace slipway::base
