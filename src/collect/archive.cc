#include "collect/archive.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::collect {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

fs::path open_name(const fs::path& folder, uint32_t file) { return folder / (Archive::name_of(file) + ".open"); }

}  // namespace

std::string Archive::name_of(uint32_t file) { return fmt::format("crawl-{:05}.warc.gz", file); }

uint64_t Archive::size_of(const fs::path& folder, uint32_t file) {
  for (const fs::path& path : {open_name(folder, file), folder / name_of(file)}) {
    std::error_code error;
    const uintmax_t size = fs::file_size(path, error);
    if (!error) {
      return size;
    }
  }
  return 0;
}

Archive::Archive(fs::path folder, Place last, uint64_t max_file_bytes, std::string info)
    : folder_(std::move(folder)), max_file_bytes_(max_file_bytes), info_(std::move(info)) {
  std::error_code error;
  file_ = last.file;
  if (last.file > 0 && fs::exists(open_name(folder_, last.file), error)) {
    open(last.file, last.end);
  }
}

Archive::~Archive() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void Archive::open(uint32_t file, uint64_t size) {
  const fs::path path = open_name(folder_, file);
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", path.string(), base::errno_text(errno)));
  }
  file_ = file;
  size_ = size;
}

void Archive::write(std::string_view bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(size_ + done));
    if (wrote < 0 && errno != EINTR) {
      throw Error(Code::kFailure,
                  fmt::format("cannot write '{}': {}", open_name(folder_, file_).string(), base::errno_text(errno)));
    }
    done += wrote > 0 ? static_cast<size_t>(wrote) : 0;
  }
  size_ += bytes.size();
}

Archive::Place Archive::append(std::string_view packed) {
  if (fd_ >= 0 && size_ >= max_file_bytes_) {
    close();
  }
  if (fd_ < 0) {
    open(file_ + 1, 0);
    write(info_);
  }
  const uint64_t offset = size_;
  write(packed);
  return {file_, offset, size_};
}

void Archive::sync() {
  if (fd_ >= 0 && ::fdatasync(fd_) != 0) {
    throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", name_of(file_), base::errno_text(errno)));
  }
}

void Archive::close() {
  if (fd_ < 0) {
    return;
  }
  sync();
  ::close(std::exchange(fd_, -1));
  std::error_code error;
  fs::rename(open_name(folder_, file_), folder_ / name_of(file_), error);
  if (error) {
    throw Error(Code::kFailure, fmt::format("cannot rename '{}': {}", open_name(folder_, file_).string(), error.message()));
  }
  base::sync_dir(folder_);
}

}  // namespace slipway::collect
