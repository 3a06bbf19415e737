// Whole files, memory maps, atomic writes. A file written here is either the old one or the new one, never half of it:
// temporary name in the same folder, fsync, rename, fsync of the folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::base {

// A regular file is there, itself or at the end of links; false, too, where that cannot be told.
bool is_file(const std::filesystem::path& path) noexcept;

// Throws Error(kNotFound | kFailure | kInvalid when larger than max_bytes).
std::string read_file(const std::filesystem::path& path, size_t max_bytes = size_t{1} << 30);

// Replaces `path` atomically and durably. Throws Error(kFailure) with the reason (full disk, permission).
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

// Removes the temporary files that killed processes left of atomic writes in `folder` and below. Only for a folder that
// nobody else writes to. Never throws: a leftover that stays costs only space.
void remove_temporaries(const std::filesystem::path& folder) noexcept;

void make_dirs(const std::filesystem::path& path);
void sync_dir(const std::filesystem::path& path);

// A file being written piece by piece under a temporary name; commit() makes it visible, the destructor discards it.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::string_view bytes);
  // Writes over bytes already written (for headers known only at the end).
  void write_at(uint64_t offset, std::string_view bytes);
  uint64_t size() const noexcept { return size_; }
  void commit();
  const std::filesystem::path& temporary_path() const noexcept { return temporary_; }

 private:
  void flush();
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::string buffer_;
  uint64_t size_ = 0;
  int fd_ = -1;
};

// A read-only map of a whole file; the bytes live as long as the object. Movable. Any thread may read.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const noexcept { return {data_, size_}; }
  // Takes what was read so far out of this process' memory; it is read from the file again when it is looked at.
  void drop_pages() const noexcept;

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// A fresh folder under the system's temporary folder, removed with its content by the destructor.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipway::base
