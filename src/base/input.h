// Bytes and lines from a file, through zstd or gzip when its first bytes say so. Memory does not grow with the file: one
// buffer, and a line of at most `max_line_bytes`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::base {

// A pull source of decompressed bytes. One thread.
class Input {
 public:
  // Throws Error(kNotFound | kFailure). The compression is told by magic bytes, not by the name.
  explicit Input(const std::filesystem::path& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  // Up to `capacity` bytes into `buffer`; 0 at the end. Throws Error(kIntegrity) for a damaged stream.
  size_t read(char* buffer, size_t capacity);
  // Compressed bytes consumed so far, for progress against the file's size.
  uint64_t consumed() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class LineReader {
 public:
  // Lines longer than the limit throw Error(kInvalid) naming file and line.
  explicit LineReader(const std::filesystem::path& path, size_t max_line_bytes = size_t{16} << 20);
  // The next line without its end (\n or \r\n); false at the end. The view is valid until the next call.
  bool next(std::string_view& line);
  // 1-based number of the line last returned.
  uint64_t line_number() const noexcept { return line_number_; }
  uint64_t consumed() const noexcept { return input_.consumed(); }

 private:
  Input input_;
  std::filesystem::path path_;
  size_t max_line_bytes_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool at_end_ = false;
  uint64_t line_number_ = 0;
};

// The whole decompressed content; throws Error(kInvalid) past `max_bytes` (a decompression bomb stops here).
std::string read_decompressed(const std::filesystem::path& path, size_t max_bytes = size_t{1} << 30);

// zstd frame of the bytes at `level`; deterministic for a given library version.
std::string zstd_compress(std::string_view bytes, int level = 3);

}  // namespace slipway::base
