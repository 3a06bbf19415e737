#include "store/blob_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "record/record.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kPieceBytes = size_t{1} << 20;

}  // namespace

void fail_file(const char* what, const fs::path& path, int number) {
  Code code = Code::kFailure;
  const char* advice = "";
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    code = Code::kUnavailable;
    advice = "; free some space and run the same command again, nothing was lost";
  } else if (number == ENOENT || number == ENOTDIR) {
    code = Code::kNotFound;
  } else if (number == EACCES || number == EPERM) {
    code = Code::kNotAllowed;
  } else if (number == ELOOP) {
    code = Code::kInvalid;
    advice = "; symbolic links are not followed into an artifact, put the file itself there";
  }
  throw Error(code, fmt::format("cannot {} '{}': {}{}", what, path.string(), base::errno_text(number), advice));
}

File::File(const fs::path& path, int flags, mode_t mode) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
  if (fd_ < 0) {
    fail_file((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
  }
}

File::~File() { ::close(fd_); }

struct stat File::info(const fs::path& path) const {
  struct stat result {};
  if (::fstat(fd_, &result) != 0) {
    fail_file("read", path, errno);
  }
  return result;
}

size_t File::read(std::string& piece, const fs::path& path) const {
  while (true) {
    const ssize_t got = ::read(fd_, piece.data(), piece.size());
    if (got >= 0) {
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) {
      fail_file("read", path, errno);
    }
  }
}

bool File::read_at(uint64_t offset, std::span<char> piece, const fs::path& path) const {
  while (!piece.empty()) {
    const ssize_t got = ::pread(fd_, piece.data(), piece.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      fail_file("read", path, errno);
    }
    if (got == 0) {
      return false;
    }
    piece = piece.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

void File::write(std::string_view bytes, const fs::path& path) const {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail_file("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

Temporary::Temporary(const fs::path& folder, const char* kind)
    : path_(folder / fmt::format("{}-{}-{}", kind, ::getpid(), record::new_id())),
      file_(path_, O_RDWR | O_CREAT | O_EXCL, 0600) {}

Temporary::~Temporary() { ::unlink(path_.c_str()); }

void Temporary::seal() const {
  if (::fchmod(file_.fd(), 0444) != 0) {
    fail_file("protect", path_, errno);
  }
  if (::fsync(file_.fd()) != 0) {
    fail_file("sync", path_, errno);
  }
}

Blob hash_open_file(const File& file, const fs::path& path) {
  base::Sha256 sha;
  std::string piece(kPieceBytes, '\0');
  uint64_t size = 0;
  while (const size_t got = file.read(piece, path)) {
    sha.update({piece.data(), got});
    size += got;
  }
  return {"sha256:" + sha.hex(), size};
}

Blob copy_and_hash(const File& from, const fs::path& from_path, const File& to, const fs::path& to_path) {
  if (::ioctl(to.fd(), FICLONE, from.fd()) == 0) {
    return hash_open_file(to, to_path);
  }
  base::Sha256 sha;
  std::string piece(kPieceBytes, '\0');
  uint64_t size = 0;
  ::lseek(from.fd(), 0, SEEK_SET);
  while (const size_t got = from.read(piece, from_path)) {
    sha.update({piece.data(), got});
    to.write({piece.data(), got}, to_path);
    size += got;
  }
  return {"sha256:" + sha.hex(), size};
}

void place_copy(const fs::path& from, const fs::path& to) {
  const File source(from, O_RDONLY);
  {
    const File target(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (::ioctl(target.fd(), FICLONE, source.fd()) == 0) {
      return;
    }
  }
  if (::geteuid() != 0) {  // root writes through any mode
    ::unlink(to.c_str());
    if (::link(from.c_str(), to.c_str()) == 0) {
      return;
    }
  }
  const File target(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const auto size = static_cast<size_t>(source.info(from).st_size);
  // Within the kernel, where the file systems can; what it did not copy is read and written.
  size_t copied = 0;
  for (ssize_t got = 1; copied < size && got > 0; copied += got > 0 ? static_cast<size_t>(got) : 0) {
    got = ::copy_file_range(source.fd(), nullptr, target.fd(), nullptr, size - copied, 0);
  }
  std::string piece(std::min(kPieceBytes, size - copied + 1), '\0');
  while (const size_t got = source.read(piece, from)) {
    target.write({piece.data(), got}, to);
  }
}

std::optional<uint64_t> size_in_folder(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace slipway::store
