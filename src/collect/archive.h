// The WARC files of a crawl: crawl-00001.warc.gz and so on, the one that is being written with ".open" behind its name. One thread at a
// time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::collect {

class Archive {
 public:
  struct Place {
    uint32_t file = 0;  // 0: none yet
    uint64_t offset = 0;
    uint64_t end = 0;
  };
  // Goes on behind `last`, the last place that is known to be good; what was written after it is cut off. A new file begins with
  // `info`, a packed warcinfo record, and there is a new one when one has grown to `max_file_bytes`.
  Archive(std::filesystem::path folder, Place last, uint64_t max_file_bytes, std::string info);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // Appends packed records; they are in the operating system's hands then. Throws Error(kFailure) when the disk is full.
  Place append(std::string_view packed);
  void sync();
  // The file that is being written gets its name.
  void close();

  static std::string name_of(uint32_t file);
  // Bytes of file number `file`, under either name; 0 when it is not there.
  static uint64_t size_of(const std::filesystem::path& folder, uint32_t file);

 private:
  void open(uint32_t file, uint64_t size);
  void write(std::string_view bytes);

  const std::filesystem::path folder_;
  const uint64_t max_file_bytes_;
  const std::string info_;
  uint32_t file_ = 0;
  uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace slipway::collect
