#include "hub/download.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::hub {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kMaxNamed = size_t{4} << 30;  // of a file whose only digest is git's, which is taken of it whole

[[noreturn]] void fail(const char* what, const fs::path& path) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  throw Error(full ? Code::kUnavailable : Code::kFailure,
              fmt::format("cannot {} '{}': {}{}", what, path.string(), base::errno_text(number),
                          full ? "; free some space and run the same command again, it goes on from here" : ""));
}

// The part that is here, under a lock until it goes.
class Partial {
 public:
  explicit Partial(fs::path path) : path_(std::move(path)) {
    while (true) {
      fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (fd_ < 0) {
        fail("create", path_);
      }
      while (::flock(fd_, LOCK_EX) != 0) {
        if (errno != EINTR) {
          fail("lock", path_);
        }
      }
      struct stat here {};
      struct stat named {};
      if (::fstat(fd_, &here) == 0 && ::stat(path_.c_str(), &named) == 0 && here.st_ino == named.st_ino) {
        return;
      }
      ::close(fd_);  // whoever had the lock has finished this file, and it has its name by now
    }
  }
  ~Partial() { ::close(fd_); }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  const fs::path& path() const noexcept { return path_; }
  uint64_t size() const noexcept { return size_; }
  // Takes in what is there already.
  void load(uint64_t at_most) {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) {
      fail("read", path_);
    }
    if (static_cast<uint64_t>(info.st_size) > at_most) {
      clear();
      return;
    }
    std::string piece(kPiece, '\0');
    ssize_t got = 0;
    while ((got = ::read(fd_, piece.data(), piece.size())) > 0) {
      sha_->update({piece.data(), static_cast<size_t>(got)});
      size_ += static_cast<uint64_t>(got);
    }
    if (got < 0) {
      fail("read", path_);
    }
  }
  void clear() {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) {
      fail("empty", path_);
    }
    size_ = 0;
    sha_.emplace();
  }
  void append(std::string_view bytes) {
    sha_->update(bytes);
    size_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) {
        fail("write", path_);
      }
      bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    }
  }
  // Once all is there; then clear() or an end.
  bool is(const RemoteFile& file) {
    return file.sha256.empty() ? base::git_blob_id(base::read_file(path_, kMaxNamed)) == file.oid : sha_->hex() == file.sha256;
  }
  void discard() { ::unlink(path_.c_str()); }
  void finish(const fs::path& target) {
    if (::fsync(fd_) != 0) {
      fail("sync", path_);
    }
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      fail("keep", target);
    }
    base::sync_dir(target.parent_path());
  }

 private:
  fs::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::optional<base::Sha256> sha_{std::in_place};
};

// Reads until all is there. Gives up after the client's attempts that brought nothing.
void fill(Client& client, const Download& what, Partial& partial, const std::function<void(int64_t)>& progress) {
  for (int attempt = 0; partial.size() < what.file.size;) {
    const uint64_t before = partial.size();
    try {
      client.read(
          what.address, what.commit, what.file, before,
          [&](uint64_t from) {
            if (from != partial.size()) {
              progress(-static_cast<int64_t>(partial.size()));
              partial.clear();
            }
          },
          [&](std::string_view bytes) {
            if (client.options().stop.stop_requested()) {
              throw Error(Code::kInterrupted, "interrupted; the same command goes on from here");
            }
            if (partial.size() + bytes.size() > what.file.size) {
              throw Error(Code::kIntegrity, fmt::format("'{}' is longer than the {} bytes it should have", what.file.path, what.file.size));
            }
            partial.append(bytes);
            progress(static_cast<int64_t>(bytes.size()));
          });
      if (partial.size() <= before) {
        throw net::NoAnswer(fmt::format("'{}' came without bytes", what.file.path), true);
      }
    } catch (const net::NoAnswer&) {
      attempt = partial.size() > before ? 0 : attempt + 1;
      if (attempt >= client.options().attempts) {
        throw;
      }
      wait_before(attempt, nullptr, client.options().stop);
    }
  }
}

}  // namespace

bool is_file_content(const fs::path& path, const RemoteFile& file) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != file.size) {
    return false;
  }
  return file.sha256.empty() ? base::git_blob_id(base::read_file(path, kMaxNamed)) == file.oid : base::sha256_file(path) == file.sha256;
}

void download(Client& client, const Download& what, const std::function<void(int64_t)>& progress) {
  const RemoteFile& file = what.file;
  base::make_dirs(what.target.parent_path());
  const fs::path place = what.target.string() + fmt::format(".{}.partial", (file.sha256.empty() ? file.oid : file.sha256).substr(0, 16));
  const auto there = [&] {
    if (!is_file_content(what.target, file)) {
      return false;
    }
    progress(static_cast<int64_t>(file.size));
    return true;
  };
  if (there()) {
    return;
  }
  Partial partial(place);
  if (there()) {
    partial.discard();
    return;
  }
  partial.load(file.size);
  const bool resumed = partial.size() > 0;
  progress(static_cast<int64_t>(partial.size()));
  fill(client, what, partial, progress);
  bool good = partial.is(file);
  if (!good && resumed) {  // what was here already was something else
    progress(-static_cast<int64_t>(partial.size()));
    partial.clear();
    fill(client, what, partial, progress);
    good = partial.is(file);
  }
  if (!good) {
    partial.discard();
    throw Error(Code::kIntegrity, fmt::format("'{}' came with other bytes than its digest says; nothing was kept, try again", file.path));
  }
  partial.finish(what.target);
}

}  // namespace slipway::hub
