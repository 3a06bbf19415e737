// Private to the room: files of the blob folder as system calls see them. Errors name the file and say what next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace slipway::store {

// "sha256:…" and the size of a content.
struct Blob {
  std::string digest;
  uint64_t size = 0;
};

[[noreturn]] void fail_file(const char* what, const std::filesystem::path& path, int number);

// An open file, closed by the destructor.
class File {
 public:
  File(const std::filesystem::path& path, int flags, mode_t mode = 0);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const noexcept { return fd_; }
  struct stat info(const std::filesystem::path& path) const;
  // Up to all of `piece`; 0 at the end.
  size_t read(std::string& piece, const std::filesystem::path& path) const;
  void write(std::string_view bytes, const std::filesystem::path& path) const;
  // All of `piece` from there on; false: the file ends before.
  bool read_at(uint64_t offset, std::span<char> piece, const std::filesystem::path& path) const;

 private:
  int fd_;
};

// A file under a temporary name in the blob folder; removed unless it was renamed. Kind "tmp": of a put, under the lock of
// those; "up": whatever takes longer or holds no lock, left alone while its process lives.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& folder, const char* kind = "tmp");
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }
  const File& file() const noexcept { return file_; }
  void write(std::string_view bytes) const { file_.write(bytes, path_); }
  // On the disk, and read-only.
  void seal() const;

 private:
  std::filesystem::path path_;
  File file_;
};

Blob hash_open_file(const File& file, const std::filesystem::path& path);
// Copies and hashes what is copied. Where the file system can share blocks, only the hashing reads.
Blob copy_and_hash(const File& from, const std::filesystem::path& from_path, const File& to, const std::filesystem::path& to_path);
// Makes `to` hold what the blob `from` holds, in a way that writing to `to` cannot change the blob: shares blocks; or
// links, when the mode 0444 binds this user; or copies.
void place_copy(const std::filesystem::path& from, const std::filesystem::path& to);
// Of a regular file; nullopt: there is none.
std::optional<uint64_t> size_in_folder(const std::filesystem::path& path);

}  // namespace slipway::store
